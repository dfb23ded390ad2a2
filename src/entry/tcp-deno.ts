import type { Dial } from "../core/byte-stream.js";
import { denoDial } from "../transports/streams/deno-stream.js";

export const tcpDialers: Readonly<Record<"amqp" | "amqps", Dial>> = { amqp: denoDial, amqps: denoDial };
