import type { Dial } from "../core/dial.js";
import { denoDial } from "../transports/stream-deno.js";

export const tcpDialers: Readonly<Record<"amqp" | "amqps", Dial>> = { amqp: denoDial, amqps: denoDial };
