import type { Address, Dial } from "../../src/core/dial.js";
import { tcpDial } from "../../src/transports/tcp.js";
import { nodeWebSocketDial } from "../../src/transports/websocket-node.js";

/** The dialers of Node, which add this to every address. */
export function withTls(tls: Address["tls"], serverName?: string): Readonly<Record<string, Dial>> {
  const add =
    (dial: Dial): Dial =>
    (to, on, signal) =>
      dial({ ...to, tls, serverName }, on, signal);
  return { amqps: add(tcpDial), "amqp+wss": add(nodeWebSocketDial()) };
}
