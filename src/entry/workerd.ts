import { ownWebSocket } from "../transports/websocket/native.js";
import { workerCauseOf } from "../transports/worker-error-text.js";
import { gettersFor } from "./getters.js";

export * from "./names.js";

const dialWebSocket = ownWebSocket({ causeOf: workerCauseOf });

export const { getRpcTransport, getNotificationTransport } = gettersFor({
  dialers: { "amqp+ws": dialWebSocket, "amqp+wss": dialWebSocket },
  identity: { node: "worker", process: "oslo-messaging", pid: 0 },
  defaults: {},
});
