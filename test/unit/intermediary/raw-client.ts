import type { Accept, Socket, SocketHandlers } from "@/src/core/byte-stream.js";
import { describeFrame, type Frame } from "@/src/core/frames/frame-log.js";
import { FrameSplitter } from "@/src/core/frames/splitter.js";
import { Writer } from "@/src/core/types/writer.js";

export const AMQP = Uint8Array.of(0x41, 0x4d, 0x51, 0x50, 0, 1, 0, 0);

/** A client that sends what it is told, whatever AMQP says, and may stop reading. */
export class RawClient implements Socket {
  readonly id = "raw client";
  readonly encrypted = false;
  /** Takes no more bytes, without ever saying that it could again. */
  deaf = false;
  buffered = 0;
  isClosed = false;
  received: number[] = [];
  readonly #handlers: SocketHandlers;
  #onReceived: () => void = () => {};

  constructor(server: { accept: Accept }) {
    this.#handlers = server.accept(this);
  }

  /** The frames behind the protocol header that have been received so far. */
  get frames(): Frame[] {
    const frames: Frame[] = [];
    const splitter = new FrameSplitter(65_536, (bytes, at, end) => {
      frames.push(describeFrame("in", bytes.subarray(at, end)));
      return true;
    });
    splitter.receive(Uint8Array.from(this.received.slice(AMQP.length)));
    return frames;
  }

  say(...pieces: Uint8Array[]): void {
    for (const piece of pieces) if (!this.isClosed) this.#handlers.data(piece);
  }

  /** Resolves when so many bytes have come, or the stream is closed. */
  async hears(bytes: number): Promise<void> {
    while (this.received.length < bytes && !this.isClosed) {
      await new Promise<void>((resolve) => {
        this.#onReceived = resolve;
      });
    }
  }

  /** The network takes it away. */
  vanish(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#handlers.close(new Error("gone"));
  }

  send(bytes: Uint8Array): boolean {
    if (this.deaf) this.buffered += bytes.length;
    else this.received.push(...bytes);
    this.#onReceived();
    return !this.deaf;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#onReceived();
    queueMicrotask(() => this.#handlers.close());
  }
}

export type Write = (writer: Writer) => void;

export function open(properties: Write = nothing): Uint8Array {
  return frame(0x10, [(w) => w.string("raw"), ...Array<Write>(8).fill(nothing), properties]);
}

export function begin(channel = 0): Uint8Array {
  return frame(0x11, [nothing, (w) => w.uint(0), (w) => w.uint(100), (w) => w.uint(100)], channel);
}

export interface RawAttach {
  name?: string;
  handle?: number;
  /** True: the client consumes. */
  role?: boolean;
  source?: Write;
  target?: Write;
  properties?: Write;
}

export function attach(init: RawAttach): Uint8Array {
  const { name = "link", handle = 0, role = true, source = terminus(0x28, "a"), target = terminus(0x29, "a") } = init;
  const identity: Write[] = [(w) => w.string(name), (w) => w.uint(handle), (w) => w.boolean(role)];
  const rest: Write[] = [nothing, nothing, (w) => w.uint(0), nothing, nothing, nothing, init.properties ?? nothing];
  return frame(0x12, [...identity, nothing, nothing, source, target, ...rest]);
}

export function detach(handle: number): Uint8Array {
  return frame(0x16, [(w) => w.uint(handle), (w) => w.boolean(true)]);
}

export function flow(handle: number, credit: number): Uint8Array {
  const session: Write[] = [(w) => w.uint(0), (w) => w.uint(0xffffffff), (w) => w.uint(0), (w) => w.uint(100)];
  return frame(0x13, [...session, (w) => w.uint(handle), (w) => w.uint(0), (w) => w.uint(credit)]);
}

/** A flow that asks for one in return. */
export function echo(handle: number): Uint8Array {
  const session: Write[] = [(w) => w.uint(0), (w) => w.uint(0xffffffff), (w) => w.uint(0), (w) => w.uint(100)];
  const link: Write[] = [(w) => w.uint(handle), (w) => w.uint(0), (w) => w.uint(0), nothing];
  return frame(0x13, [...session, ...link, (w) => w.boolean(false), (w) => w.boolean(true)]);
}

export function transfer(handle: number, deliveryId: number, payload: Uint8Array): Uint8Array {
  const tag: Write = (w) => w.binary(Uint8Array.of(deliveryId));
  const settled: Write = (w) => w.boolean(true);
  const fields: Write[] = [(w) => w.uint(handle), (w) => w.uint(deliveryId), tag, (w) => w.uint(0), settled];
  return frame(0x14, fields, 0, payload);
}

export function disposition(first: number, last: number): Uint8Array {
  return frame(0x15, [(w) => w.boolean(true), (w) => w.uint(first), (w) => w.uint(last), (w) => w.boolean(true)]);
}

export function terminus(code: number, address: string): Write {
  return (writer) => list(writer, code, [(w) => w.string(address)]);
}

export const nothing: Write = (writer) => writer.null();

function frame(code: number, fields: Write[], channel = 0, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  const writer = new Writer();
  writer.append(Uint8Array.of(0, 0, 0, 0, 2, 0, channel >> 8, channel));
  list(writer, code, fields);
  writer.append(payload);
  const bytes = writer.take();
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, bytes.length);
  return bytes;
}

function list(writer: Writer, code: number, fields: Write[]): void {
  writer.descriptor(code);
  const mark = writer.beginList();
  for (const field of fields) field(writer);
  writer.endList(mark, fields.length);
}
