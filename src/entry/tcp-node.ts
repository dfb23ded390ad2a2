import type { Dial } from "../core/byte-stream.js";
import { tcpDial } from "../transports/node/tcp.js";

/** The diallers of TCP, `amqp`, and TLS, `amqps`: for `dialers` of a transport's options, where TCP is not in the root entry. */
export const tcpDialers: Readonly<Record<"amqp" | "amqps", Dial>> = { amqp: tcpDial, amqps: tcpDial };
