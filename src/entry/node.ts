import { nodeWebSocketDial } from "../transports/node/websocket-node.js";
import { gettersFor } from "./getters.js";
import { nodeRuntime } from "./node-runtime.js";

export * from "./names.js";

const getters = gettersFor(nodeRuntime(nodeWebSocketDial()));

/**
 * A transport for RPC. It connects at the first use.
 *
 * @throws InvalidTransportURL; DriverLoadFailure for a scheme that does not work here, naming those that do;
 *   NoSuchOptError and ConfigurationError for an option, in the URL or in code, by name.
 */
export const getRpcTransport = getters.getRpcTransport;

/** A transport for notifications. Throws as {@link getRpcTransport}. */
export const getNotificationTransport = getters.getNotificationTransport;
