import { ownWebSocketDial } from "../transports/websocket-own.js";
import { gettersFor } from "./getters.js";

export * from "./names.js";

export const { getRpcTransport, getNotificationTransport } = gettersFor({
  dialers: { "amqp+ws": ownWebSocketDial, "amqp+wss": ownWebSocketDial },
  identity: { node: "worker", process: "oslo-messaging", pid: 0 },
  defaults: {},
});
