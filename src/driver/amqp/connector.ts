import type { Dial } from "../../core/byte-stream.js";
import type { Connection } from "../../core/connection/connection.js";
import { connect } from "../../core/connection/handshake.js";
import { shortened } from "../../core/errors.js";
import type { Frame } from "../../core/frames/frame-log.js";
import type { Logger } from "../../core/logger.js";
import type { Log } from "../../core/recurring-warnings.js";
import { ClearTextNotice } from "../options/clear-text-notice.js";
import { givenCredentials, withRealm } from "../options/credentials.js";
import type { Host } from "../options/hosts.js";
import type { ResolvedOptions } from "../options/options.js";
import type { TransportOptions } from "../options/transport-options.js";
import type { Runtime } from "../runtime.js";
import type { MessageIds } from "../values/ids.js";

export interface ConnectorInit extends Log {
  dial: Dial;
  amqp: ResolvedOptions;
  virtualHost: string | undefined;
  ids: MessageIds;
  runtime: Runtime;
  options: TransportOptions;
}

/** With names of this size the Open, which has each twice, and a host name fit into the smallest maximum frame size. */
const LONGEST_NAME_BYTES = 64;

/** Mechanisms that send a secret in clear text, with the secret's name. Only TLS protects it. */
const SENT_IN_CLEAR: ReadonlyMap<string, string> = new Map([
  ["PLAIN", "password"],
  ["OAUTHBEARER", "token"],
  ["XOAUTH2", "token"],
]);

/** Returns a function that connects to a host with the given options, and with another hostname in the Open if it is given. */
export function connector(
  init: ConnectorInit,
): (host: Host, signal: AbortSignal, attempt: number, openHostname?: string) => Promise<Connection> {
  const { dial, amqp, virtualHost, ids, runtime, options, logger, warnings } = init;
  const { pid } = runtime.identity;
  const node = shortened(runtime.identity.node, LONGEST_NAME_BYTES);
  const process = shortened(runtime.identity.process, LONGEST_NAME_BYTES);
  const hostname = amqp.pseudoVhost ? undefined : virtualHost;
  const connection = {
    containerId: amqp.containerName || `openstack.org/om/container/${node}/${process}/${pid}/${ids.next()}`,
    idleTimeoutMs: amqp.idleTimeoutMs,
    properties: { process, pid, node },
    maxMessageBytes: options.maxMessageBytes,
    logger,
    warnings,
    onFrame: amqp.trace ? tracer(logger, options.onFrame) : options.onFrame,
  };
  const notice = new ClearTextNotice(logger, SENT_IN_CLEAR, "amqps or amqp+wss");
  return async (host, signal, attempt, openHostname = hostname) => {
    const provider = options.credentials;
    const credentials =
      provider === undefined
        ? host.credentials
        : withRealm(await givenCredentials(provider, host.given, { attempt, signal }), amqp.saslDefaultRealm);
    const sasl = { credentials, mechanisms: amqp.saslMechanisms, hostname };
    const connected = await connect(dial, host.address, { ...connection, hostname: openHostname, sasl }, signal);
    notice.check(host, connected.mechanism, connected.socket.encrypted);
    return connected;
  };
}

function tracer(logger: Logger, onFrame: ((frame: Frame) => void) | undefined): (frame: Frame) => void {
  return (frame) => {
    logger.debug(`${frame.direction} ${frame.performative}`, frame);
    onFrame?.(frame);
  };
}
