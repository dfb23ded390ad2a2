import type { Dial } from "../core/dial.js";
import type { Runtime } from "../driver/runtime.js";
import { NotificationTransport, RPCTransport } from "../driver/transport.js";
import type { TransportOptions } from "../driver/transport-options.js";
import type { TransportURL } from "../driver/transport-url.js";
import { webSocketDial } from "../transports/websocket.js";
import { onWake } from "./wake-events.js";

export * from "./names.js";

/** The constructor is looked up when it is needed: not everything that loads this module has one. */
const dial: Dial = async (to, on, signal) => {
  const { WebSocket } = globalThis;
  if (WebSocket === undefined) throw new Error("there is no WebSocket here");
  return await webSocketDial((url, protocols) => new WebSocket(url, protocols))(to, on, signal);
};

const runtime: Runtime = {
  dialers: { "amqp+ws": dial, "amqp+wss": dial },
  identity: { node: globalThis.location?.hostname || "browser", process: "oslo-messaging", pid: 0 },
  // A page that sleeps, or whose network went, does not learn it from the socket.
  defaults: { idleTimeoutMs: 10_000 },
  onWake,
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
