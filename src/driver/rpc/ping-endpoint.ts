import type { Logger } from "../../core/logger.js";
import { expose, methodOf } from "./access-policy.js";

const PING = "oslo_rpc_server_ping";

/**
 * The endpoints with one that answers "pong" to monitors of the server, in the namespace without a name, version 1.0
 * (oslo_messaging/rpc/dispatcher.py:56-58). An endpoint's own method of that name is left to answer, with a warning.
 */
export function withPing(endpoints: readonly object[], logger: Logger): readonly object[] {
  if (endpoints.some((endpoint) => methodOf(endpoint, PING) !== undefined)) {
    logger.warn(`an endpoint has a method ${PING} of its own: the server's is left out`);
    return endpoints;
  }
  return [...endpoints, { [PING]: expose(() => "pong") }];
}
