import { nodeWebSocketDial } from "../transports/node/websocket-node.js";
import { gettersFor } from "./getters.js";
import { nodeRuntime } from "./node-runtime.js";

export * from "./names.js";

const getters = gettersFor(nodeRuntime(nodeWebSocketDial()));

/**
 * Returns a transport for RPC. It connects at the first use.
 *
 * @throws InvalidTransportURL for a malformed URL.
 * @throws DriverLoadFailure for a scheme that the runtime does not support, naming the supported ones.
 * @throws NoSuchOptError for an unknown option, in the URL or in code, by name.
 * @throws ConfigurationError for an invalid option, in the URL or in code, by name.
 */
export const getRpcTransport = getters.getRpcTransport;

/**
 * Returns a transport for notifications. It connects at the first use.
 *
 * @throws as {@link getRpcTransport}.
 */
export const getNotificationTransport = getters.getNotificationTransport;
