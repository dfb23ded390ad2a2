import type { Dial } from "../core/byte-stream.js";
import { tcpDial } from "../transports/node/tcp.js";

/** Dialers for TCP (`amqp`) and TLS (`amqps`): the `dialers` of a transport's options where the root entry has no TCP. */
export const tcpDialers: Readonly<Record<"amqp" | "amqps", Dial>> = { amqp: tcpDial, amqps: tcpDial };
