import type { Dial } from "../core/byte-stream.js";
import type { Connection } from "../core/connection/connection.js";
import { connect } from "../core/connection/handshake.js";
import type { Frame } from "../core/frames/frame-log.js";
import type { Logger } from "../core/logger.js";
import { givenCredentials, withRealm } from "./options/credentials.js";
import { type Host, isLoopback } from "./options/hosts.js";
import type { ResolvedOptions } from "./options/options.js";
import type { TransportOptions } from "./options/transport-options.js";
import type { Runtime } from "./runtime.js";
import type { MessageIds } from "./values/ids.js";

export interface ConnectorInit {
  dial: Dial;
  amqp: ResolvedOptions;
  virtualHost: string | undefined;
  ids: MessageIds;
  runtime: Runtime;
  options: TransportOptions;
  logger: Logger;
}

/** What mechanisms leave to the transport to hide. */
const SENT_IN_CLEAR: ReadonlyMap<string, string> = new Map([
  ["PLAIN", "password"],
  ["OAUTHBEARER", "token"],
  ["XOAUTH2", "token"],
]);

/** Makes connections to one host or another, as the options want them. */
export function connector(
  init: ConnectorInit,
): (host: Host, signal: AbortSignal, attempt: number) => Promise<Connection> {
  const { dial, amqp, virtualHost, ids, runtime, options, logger } = init;
  const { node, process, pid } = runtime.identity;
  const hostname = amqp.pseudoVhost ? undefined : virtualHost;
  const connection = {
    containerId: amqp.containerName || `openstack.org/om/container/${node}/${process}/${pid}/${ids.next()}`,
    hostname,
    idleTimeoutMs: amqp.idleTimeoutMs,
    properties: { process, pid, node },
    maxMessageBytes: options.maxMessageBytes,
    logger,
    onFrame: amqp.trace ? tracer(logger, options.onFrame) : options.onFrame,
  };
  let warned = false;
  return async (host, signal, attempt) => {
    const give = options.credentials;
    const credentials =
      give === undefined
        ? host.credentials
        : withRealm(await givenCredentials(give, host.given, { attempt, signal }), amqp.saslDefaultRealm);
    const sasl = { credentials, mechanisms: amqp.saslMechanisms, hostname };
    const made = await connect(dial, host.address, { ...connection, sasl }, signal);
    const secret = SENT_IN_CLEAR.get(made.mechanism);
    if (secret !== undefined && !made.socket.encrypted && !isLoopback(host) && !warned) {
      warned = true;
      logger.warn(`the ${secret} went to ${host.name} in clear: amqps or amqp+wss would hide it`);
    }
    return made;
  };
}

function tracer(logger: Logger, onFrame: ((frame: Frame) => void) | undefined): (frame: Frame) => void {
  return (frame) => {
    logger.debug(`${frame.direction} ${frame.performative}`, frame);
    onFrame?.(frame);
  };
}
