import { bunWebSocketDial } from "../transports/node/websocket-bun.js";
import { gettersFor } from "./getters.js";
import { nodeRuntime } from "./node-runtime.js";

export * from "./names.js";

export const { getRpcTransport, getNotificationTransport } = gettersFor(nodeRuntime(bunWebSocketDial));
