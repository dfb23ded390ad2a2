import type { Dial } from "../core/dial.js";
import { workerdDial } from "../transports/stream-workerd.js";

export const tcpDialers: Readonly<Record<"amqp" | "amqps", Dial>> = { amqp: workerdDial, amqps: workerdDial };
