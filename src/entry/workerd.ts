import { amqp } from "../driver/amqp/amqp.js";
import { nativeWebSocket } from "../transports/websocket/native.js";
import { workerErrorText } from "../transports/worker-error-text.js";
import { gettersFor } from "./getters.js";

export * from "./names.js";

const dialWebSocket = nativeWebSocket({ errorText: workerErrorText });

export const { getRpcTransport, getNotificationTransport } = gettersFor({
  drivers: [amqp],
  dialers: { "amqp+ws": dialWebSocket, "amqp+wss": dialWebSocket },
  identity: { node: "worker", process: "oslo-messaging", pid: 0 },
  defaults: {},
  tcpAdvice: `; for TCP import { tcpDialers } from "oslo-messaging/tcp" and pass { dialers: tcpDialers }`,
});
