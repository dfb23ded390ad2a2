import type { Dial } from "../core/byte-stream.js";
import { workerdDial } from "../transports/streams/workerd-stream.js";

export const tcpDialers: Readonly<Record<"amqp" | "amqps", Dial>> = { amqp: workerdDial, amqps: workerdDial };
