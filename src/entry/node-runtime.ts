import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename } from "node:path";
import type { Dial } from "../core/byte-stream.js";
import { amqp } from "../driver/amqp/amqp.js";
import { rabbit } from "../driver/rabbit/rabbit.js";
import type { Runtime } from "../driver/runtime.js";
import { tcpDial } from "../transports/node/tcp.js";

/** The runtime of Node, and of runtimes with Node's modules and a WebSocket implementation of their own (Bun). */
export function nodeRuntime(dialWebSocket: Dial): Runtime {
  return {
    drivers: [amqp, rabbit],
    dialers: { amqp: tcpDial, amqps: tcpDial, "amqp+ws": dialWebSocket, "amqp+wss": dialWebSocket },
    identity: { node: hostname(), process: basename(process.argv[1] ?? "node"), pid: process.pid },
    defaults: {},
    readFile: (path) => readFileSync(path, "utf8"),
  };
}
