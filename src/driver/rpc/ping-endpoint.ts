import type { Logger } from "../../core/logger.js";
import { expose, methodOf } from "./access-policy.js";

const PING = "oslo_rpc_server_ping";

/**
 * Adds an endpoint that replies "pong" to monitors of the server, in the namespace without a name, version 1.0
 * (oslo_messaging/rpc/dispatcher.py:56-58). When an endpoint already has a method of that name, it is used instead, and a
 * warning is logged.
 */
export function withPing(endpoints: readonly object[], logger: Logger): readonly object[] {
  if (endpoints.some((endpoint) => methodOf(endpoint, PING) !== undefined)) {
    logger.warn(`an endpoint has a method ${PING}: the one of the server is not added`);
    return endpoints;
  }
  return [...endpoints, { [PING]: expose(() => "pong") }];
}
