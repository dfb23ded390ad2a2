import { amqp } from "../driver/amqp/amqp.js";
import { nativeWebSocketDial } from "../transports/websocket/native.js";
import { gettersFor } from "./getters.js";
import { onWake } from "./wake-events.js";

export * from "./names.js";

export const { getRpcTransport, getNotificationTransport } = gettersFor({
  drivers: [amqp],
  dialers: { "amqp+ws": nativeWebSocketDial, "amqp+wss": nativeWebSocketDial },
  identity: { node: globalThis.location?.hostname || "browser", process: "oslo-messaging", pid: 0 },
  // The socket does not report that the page slept or that the network was lost.
  defaults: { idleTimeoutMs: 10_000 },
  onWake,
});
