import { ownWebSocket } from "../transports/websocket-own.js";
import { workerCauseOf } from "../transports/worker-cause.js";
import { gettersFor } from "./getters.js";

export * from "./names.js";

const dialWebSocket = ownWebSocket({ causeOf: workerCauseOf });

export const { getRpcTransport, getNotificationTransport } = gettersFor({
  dialers: { "amqp+ws": dialWebSocket, "amqp+wss": dialWebSocket },
  identity: { node: "worker", process: "oslo-messaging", pid: 0 },
  defaults: {},
});
