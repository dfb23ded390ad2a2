import { connect } from "../../../amqp091/connect.js";
import type { LoginMechanism } from "../../../amqp091/login.js";
import type { Dial } from "../../../core/byte-stream.js";
import { shortened } from "../../../core/errors.js";
import type { Log } from "../../../core/recurring-warnings.js";
import type { Credentials } from "../../../core/sasl/sasl.js";
import { ClearTextNotice } from "../../options/clear-text-notice.js";
import { givenCredentials } from "../../options/credentials.js";
import type { Host } from "../../options/hosts.js";
import type { TransportOptions } from "../../options/transport-options.js";
import type { Runtime } from "../../runtime.js";
import { uuid4 } from "../../values/ids.js";
import type { ResolvedRabbitOptions } from "../option-table.js";
import { ChannelConnection } from "./channel-connection.js";

export interface ConnectorInit extends Log {
  dial: Dial;
  rabbit: ResolvedRabbitOptions;
  virtualHost: string;
  runtime: Runtime;
  options: TransportOptions;
}

/** Longest name of the program in the name of a connection. */
const LONGEST_NAME_BYTES = 64;

/** Mechanisms that send a secret in clear text, with the secret's name. */
const SENT_IN_CLEAR: ReadonlyMap<string, string> = new Map([
  ["PLAIN", "password"],
  ["AMQPLAIN", "password"],
]);

/** What this client can do (impl_rabbit.py, by py-amqp). Without them a broker neither tells of an alarm nor of a cancelled consumer. */
const CAPABILITIES = {
  authentication_failure_close: true,
  "connection.blocked": true,
  consumer_cancel_notify: true,
};

/** Returns a function that connects to a host with the given options. */
export function connector(
  init: ConnectorInit,
): (host: Host, signal: AbortSignal, attempt: number) => Promise<ChannelConnection> {
  const { dial, rabbit, virtualHost, runtime, options, logger, warnings } = init;
  const { process, pid } = runtime.identity;
  const name = shortened(process, LONGEST_NAME_BYTES);
  const notice = new ClearTextNotice(logger, SENT_IN_CLEAR, "the option ssl=true, or rabbit+wss");
  return async (host, signal, attempt) => {
    const credentials =
      options.credentials === undefined
        ? host.credentials
        : await givenCredentials(options.credentials, host.given, { attempt, signal });
    const mechanism = mechanismFor(rabbit.rabbitLoginMethod, credentials);
    const connection = await connect(
      dial,
      host.address,
      {
        mechanism,
        credentials,
        virtualHost,
        clientProperties: {
          product: "oslo-messaging",
          platform: "JavaScript",
          connection_name: `${name}:${pid}:${uuid4()}`,
          capabilities: CAPABILITIES,
        },
        heartbeatMs: rabbit.heartbeatTimeoutThresholdMs,
        maxMessageBytes: options.maxMessageBytes,
        logger,
        warnings,
        onFrame: options.onFrame,
        onBlocked(reason) {
          if (reason === undefined) logger.info(`${host.name} accepts messages again`);
          else warnings.warn(`${host.name} blocked`, `${host.name} accepts no messages at present: ${reason}`);
        },
      },
      signal,
    );
    notice.check(host, mechanism, connection.socket.encrypted);
    return new ChannelConnection(connection);
  };
}

/** A token is sent as the password of PLAIN, as RabbitMQ's plugin for OAuth 2.0 documents it. */
function mechanismFor(method: LoginMechanism, credentials: Credentials | undefined): LoginMechanism {
  const isToken = credentials !== undefined && "token" in credentials;
  return isToken && method === "AMQPLAIN" ? "PLAIN" : method;
}
