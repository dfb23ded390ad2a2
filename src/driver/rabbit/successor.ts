import { MAX_MESSAGE_BYTES } from "../../core/connection/connection.js";
import { ConfigurationError } from "../exceptions.js";
import type { Host } from "../options/hosts.js";
import { checkRabbitVersion } from "../options/rabbit-advice.js";
import type { SuccessorInit } from "../runtime.js";
import { LinkConnection } from "./amqp10/link-connection.js";
import { RabbitDriver } from "./driver.js";
import type { ResolvedRabbitOptions } from "./option-table.js";
import { explainedReset, vhostHostname } from "./succession.js";

/** Virtual host of an URL without one: RabbitMQ's default. */
const DEFAULT_VIRTUAL_HOST = "/";

/** The driver of RabbitMQ over AMQP 1.0. Its topology and messages are as by AMQP 0-9-1, its connections as by `amqp` otherwise. */
export function createSuccessor(init: SuccessorInit, rabbit: ResolvedRabbitOptions): RabbitDriver {
  const { amqp, options, runtime, hosts, retry, status, logger, warnings } = init;
  return new RabbitDriver({
    hosts,
    connect: (host, signal, attempt) => connect(init, host, signal, attempt),
    options: rabbit,
    retry,
    defaultSendTimeoutMs: amqp.defaultSendTimeoutMs,
    defaultNotifyTimeoutMs: amqp.defaultNotifyTimeoutMs,
    controlExchange: options.controlExchange ?? "openstack",
    maxMessageBytes: options.maxMessageBytes ?? MAX_MESSAGE_BYTES,
    remoteExceptions: options.remoteExceptions,
    nonFiniteNumbers: options.nonFiniteNumbers,
    status,
    logger,
    warnings,
    maxQueued: options.maxQueued,
    failFast: options.failFast,
    random: options.random,
    onWake: runtime.onWake,
  });
}

/** @throws ConfigurationError when the host is not RabbitMQ 4 or later. */
async function connect(
  { connect, virtualHost, options, logger, warnings }: SuccessorInit,
  host: Host,
  signal: AbortSignal,
  attempt: number,
): Promise<LinkConnection> {
  const connection = await connect(host, signal, attempt, vhostHostname(virtualHost)).catch((failure) => {
    throw explainedReset(failure, virtualHost ?? DEFAULT_VIRTUAL_HOST, signal);
  });
  try {
    const { product, version } = connection.remote;
    if (product !== "RabbitMQ") {
      const others = "and another host is: the hosts must be of one kind";
      throw new ConfigurationError("url", `${host.name} is not RabbitMQ, ${others}`);
    }
    checkRabbitVersion(host, version);
  } catch (error) {
    await connection.close();
    throw error;
  }
  return new LinkConnection({
    connection,
    host: host.name,
    virtualHost: virtualHost ?? DEFAULT_VIRTUAL_HOST,
    maxMessageBytes: options.maxMessageBytes ?? MAX_MESSAGE_BYTES,
    logger,
    warnings,
  });
}
