import { nativeWebSocketDial } from "../transports/websocket/native.js";
import { gettersFor } from "./getters.js";
import { onWake } from "./wake-events.js";

export * from "./names.js";

export const { getRpcTransport, getNotificationTransport } = gettersFor({
  dialers: { "amqp+ws": nativeWebSocketDial, "amqp+wss": nativeWebSocketDial },
  identity: { node: globalThis.location?.hostname || "browser", process: "oslo-messaging", pid: 0 },
  // A page that sleeps, or whose network went, does not learn it from the socket.
  defaults: { idleTimeoutMs: 10_000 },
  onWake,
});
