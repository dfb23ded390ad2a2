import rheaFrames from "rhea/lib/frames.js";
import rheaMessage from "rhea/lib/message.js";
import type { Accept, Socket, SocketHandlers } from "@/src/core/byte-stream.js";

/** A frame as rhea reads it. */
export interface RawFrame {
  channel: number;
  /** AMQP's name: `open`, `transfer`...; `empty` for a heartbeat. */
  name: string;
  fields: Record<string, unknown>;
  payload: Uint8Array | undefined;
  size: number;
}

type Fields = Record<string, unknown>;
type FrameName = "open" | "begin" | "attach" | "flow" | "transfer" | "disposition" | "detach" | "end" | "close";

const NAMES = new Map([
  [0x10, "open"],
  [0x11, "begin"],
  [0x12, "attach"],
  [0x13, "flow"],
  [0x14, "transfer"],
  [0x15, "disposition"],
  [0x16, "detach"],
  [0x17, "end"],
  [0x18, "close"],
]);

/**
 * A peer that does what the test says, frame by frame, encoded and decoded by rhea's codec and not by ours. It is the
 * listening side: `accept` goes to `memoryDial`. SASL ANONYMOUS and the protocol headers are answered by themselves.
 */
export class RawPeer {
  readonly received: RawFrame[] = [];
  readonly closed: Promise<void>;
  #socket: Socket | undefined;
  #pending = Buffer.alloc(0);
  #cursor = 0;
  #wake: () => void = () => {};
  #stage: "sasl-header" | "sasl-init" | "header" | "frames" = "sasl-header";
  #settleClosed: () => void = () => {};

  constructor() {
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
  }

  readonly accept: Accept = (socket): SocketHandlers => {
    this.#socket = socket;
    return {
      data: (bytes) => {
        this.#pending = Buffer.concat([this.#pending, bytes]);
        while (this.#step()) this.#wake();
      },
      drain() {},
      close: () => this.#settleClosed(),
    };
  };

  /** The next frame that has not been taken, which must be a `name`; others in between are passed over only if named in `skip`. */
  async next(name: string, skip: readonly string[] = []): Promise<RawFrame> {
    for (;;) {
      const frame = await this.any();
      if (frame.name === name) return frame;
      if (!skip.includes(frame.name))
        throw new Error(`expected ${name}, got ${frame.name} ${JSON.stringify(frame.fields)}`);
    }
  }

  /** The next frame that has not been taken. */
  async any(): Promise<RawFrame> {
    for (;;) {
      const frame = this.received[this.#cursor];
      if (frame !== undefined) {
        this.#cursor++;
        return frame;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  send(
    name: FrameName,
    fields: Fields,
    { channel = 0, payload }: { channel?: number; payload?: Uint8Array } = {},
  ): void {
    const frame = rheaFrames.amqp_frame(channel, rheaFrames[name](fields), payload && Buffer.from(payload));
    this.sendBytes(rheaFrames.write_frame(frame));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#socket?.send(bytes);
  }

  hangUp(): void {
    this.#socket?.close();
  }

  /** Answers the attach of a link that the other side sends on. */
  async attachAsReceiver(credit: number, fields: Fields = {}, incomingWindow = 1000): Promise<RawFrame> {
    const attach = await this.next("attach");
    const { name, source, target } = attach.fields;
    this.send("attach", { name, handle: 0, role: true, source, target, ...fields });
    const grant = { handle: 0, delivery_count: 0, link_credit: credit };
    this.send("flow", { ...WINDOW, incoming_window: incomingWindow, ...grant });
    return attach;
  }

  /** Answers the attach of a link that the other side receives on, and takes the flow with its credit. */
  async attachAsSender(fields: Fields = {}): Promise<RawFrame> {
    const attach = await this.next("attach");
    const { name, source, target } = attach.fields;
    this.send("attach", { name, handle: 0, role: false, source, target, initial_delivery_count: 0, ...fields });
    return this.next("flow");
  }

  #step(): boolean {
    const pending = this.#pending;
    if (this.#stage === "sasl-header" && pending.length >= 8) {
      this.#pending = pending.subarray(8);
      this.sendBytes(Buffer.from("AMQP\x03\x01\x00\x00", "latin1"));
      const mechanisms = rheaFrames.sasl_mechanisms({ sasl_server_mechanisms: ["ANONYMOUS"] });
      this.sendBytes(rheaFrames.write_frame(rheaFrames.sasl_frame(mechanisms)));
      this.#stage = "sasl-init";
      return true;
    }
    if (this.#stage === "header" && pending.length >= 8) {
      this.#pending = pending.subarray(8);
      this.sendBytes(Buffer.from("AMQP\x00\x01\x00\x00", "latin1"));
      this.#stage = "frames";
      return true;
    }
    if (this.#stage === "sasl-header" || this.#stage === "header" || pending.length < 8) return false;
    const size = pending.readUInt32BE(0);
    if (pending.length < size) return false;
    this.#pending = pending.subarray(size);
    if (this.#stage === "sasl-init") {
      this.sendBytes(rheaFrames.write_frame(rheaFrames.sasl_frame(rheaFrames.sasl_outcome({ code: 0 }))));
      this.#stage = "header";
      return true;
    }
    this.received.push(toRawFrame(pending.subarray(0, size)));
    return true;
  }
}

/** What a flow has to say of the session, from a peer that has room and has sent nothing. */
export const WINDOW = { next_incoming_id: 0, incoming_window: 1000, next_outgoing_id: 0, outgoing_window: 1000 };

export function accepted(): object {
  return rheaMessage.accepted({}).described();
}

export function released(): object {
  return rheaMessage.released({}).described();
}

/** The descriptor of a delivery state. */
export function stateCode(state: unknown): number | undefined {
  return (state as { descriptor?: { value: number } } | undefined)?.descriptor?.value;
}

function toRawFrame(bytes: Buffer): RawFrame {
  const { channel, performative, payload } = rheaFrames.read_frame(bytes);
  if (performative === undefined) return { channel, name: "empty", fields: {}, payload: undefined, size: bytes.length };
  const name = NAMES.get(bytes[10] ?? 0) ?? "unknown";
  return { channel, name, fields: performative as Fields, payload, size: bytes.length };
}
