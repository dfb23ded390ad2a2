import type { Frame } from "@/src/core/frames/frame-log.js";
import { FrameTap } from "@/src/core/frames/frame-tap.js";

interface Handle {
  /** The delivery of which frames are still to come. */
  partial: unknown;
  sends: boolean;
}

interface Channel {
  handles: Map<unknown, Handle>;
  nextDeliveryId: number;
}

/** Looks at all that one side of a connection says, and notes what AMQP 1.0 forbids it to say then. */
export class Referee {
  readonly faults: string[] = [];
  readonly #tap = new FrameTap("out", (frame) => {
    const fault = this.#judge(frame);
    if (fault !== undefined) this.faults.push(`${frame.performative} ${JSON.stringify(frame.fields)}: ${fault}`);
  });
  readonly #channels = new Map<number, Channel>();
  #state: "header" | "header sent" | "open" | "closed" = "header";

  watch(bytes: Uint8Array): void {
    this.#tap.pass(bytes);
  }

  #judge({ performative, channel: number, fields }: Frame): string | undefined {
    if (performative.startsWith("sasl")) return this.#state === "header sent" ? undefined : "SASL out of place";
    if (performative === "header") return this.#onHeader();
    if (this.#state === "closed") return "behind close";
    if (performative === "open") {
      if (this.#state !== "header sent") return "open out of place";
      this.#state = "open";
      return undefined;
    }
    if (this.#state !== "open") return "before open";
    if (performative === "heartbeat") return undefined;
    if (performative === "close") {
      this.#state = "closed";
      return undefined;
    }
    const channel = this.#channels.get(number);
    if (performative === "begin") {
      this.#channels.set(number, { handles: new Map(), nextDeliveryId: 0 });
      return channel === undefined ? undefined : "channel in use";
    }
    if (channel === undefined) return "no session";
    if (performative === "end") this.#channels.delete(number);
    return judgeInSession(performative, channel, new Map(Object.entries(fields)));
  }

  #onHeader(): string | undefined {
    if (this.#state !== "header" && this.#state !== "header sent") return "header out of place";
    this.#state = "header sent";
    return undefined;
  }
}

function judgeInSession(performative: string, channel: Channel, fields: Map<string, unknown>): string | undefined {
  const handle = fields.get("handle");
  const link = channel.handles.get(handle);
  switch (performative) {
    case "attach":
      channel.handles.set(handle, { partial: undefined, sends: fields.get("role") === false });
      return link === undefined ? undefined : "handle in use";
    case "detach":
      channel.handles.delete(handle);
      return link === undefined ? "no link" : undefined;
    case "flow":
      return link === undefined && handle !== undefined ? "no link" : undefined;
    case "transfer":
      return link === undefined ? "no link" : judgeTransfer(channel, link, fields);
    default:
      return performative === "disposition" || performative === "end" ? undefined : "unknown";
  }
}

function judgeTransfer(channel: Channel, link: Handle, fields: Map<string, unknown>): string | undefined {
  const id = fields.get("deliveryId");
  const isFirst = link.partial === undefined;
  link.partial = fields.get("more") === true && fields.get("aborted") !== true ? (link.partial ?? id) : undefined;
  if (!link.sends) return "on a link that receives";
  if (isFirst && id !== channel.nextDeliveryId++) return `delivery ${channel.nextDeliveryId - 1} was to come`;
  return undefined;
}
