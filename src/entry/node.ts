import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename } from "node:path";
import { tcpDial } from "../transports/tcp.js";
import { nodeWebSocketDial } from "../transports/websocket-node.js";
import { gettersFor } from "./getters.js";

export * from "./names.js";

const dialWebSocket = nodeWebSocketDial();

const getters = gettersFor({
  dialers: { amqp: tcpDial, amqps: tcpDial, "amqp+ws": dialWebSocket, "amqp+wss": dialWebSocket },
  identity: { node: hostname(), process: basename(process.argv[1] ?? "node"), pid: process.pid },
  defaults: {},
  controlsTls: true,
  readFile: (path) => readFileSync(path, "utf8"),
});

/**
 * A transport for RPC. It connects at the first use.
 *
 * @throws InvalidTransportURL; DriverLoadFailure for a scheme that does not work here, naming those that do;
 *   NoSuchOptError and ConfigurationError for an option, in the URL or in code, by name.
 */
export const getRpcTransport = getters.getRpcTransport;

/** A transport for notifications. Throws as {@link getRpcTransport}. */
export const getNotificationTransport = getters.getNotificationTransport;
