import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename } from "node:path";
import type { Runtime } from "../driver/runtime.js";
import { NotificationTransport, RPCTransport } from "../driver/transport.js";
import type { TransportOptions } from "../driver/transport-options.js";
import type { TransportURL } from "../driver/transport-url.js";
import { tcpDial } from "../transports/tcp.js";
import { nodeWebSocketDial } from "../transports/websocket-node.js";

export * from "./names.js";

const dialWebSocket = nodeWebSocketDial();

const runtime: Runtime = {
  dialers: { amqp: tcpDial, amqps: tcpDial, "amqp+ws": dialWebSocket, "amqp+wss": dialWebSocket },
  identity: { node: hostname(), process: basename(process.argv[1] ?? "node"), pid: process.pid },
  defaults: {},
  controlsTls: true,
  readFile: (path) => readFileSync(path, "utf8"),
};

/**
 * A transport for RPC. It connects at the first use.
 *
 * @throws InvalidTransportURL; DriverLoadFailure for a scheme that does not work here, naming those that do;
 *   NoSuchOptError and ConfigurationError for an option, in the URL or in code, by name.
 */
export function getRpcTransport(url: string | TransportURL, options: TransportOptions = {}): RPCTransport {
  return new RPCTransport(runtime, url, options);
}

/** A transport for notifications. Throws as {@link getRpcTransport}. */
export function getNotificationTransport(
  url: string | TransportURL,
  options: TransportOptions = {},
): NotificationTransport {
  return new NotificationTransport(runtime, url, options);
}
