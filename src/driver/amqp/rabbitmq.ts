import type { RemoteOpen } from "../../core/connection/control/control-events.js";
import { ConfigurationError } from "../exceptions.js";
import type { Host } from "../options/hosts.js";
import type { ResolvedOptions } from "../options/options.js";
import { checkRabbitVersion, NEEDS_RABBIT } from "../options/rabbit-advice.js";
import type { Succession } from "../runtime.js";

/** Product of the Open of RabbitMQ: the driver of AMQP 1.0 does not know its addresses. */
export const RABBITMQ = "RabbitMQ";

/**
 * Gives a peer that is RabbitMQ to the driver for it. Returns what the attempt to connect fails with.
 *
 * @throws ConfigurationError for a version before 4.0, when `addressing_mode` is given, and when there is no such driver.
 */
export function handOver(
  host: Host,
  { version }: RemoteOpen,
  { addressingMode }: ResolvedOptions,
  succession: Succession | undefined,
): Error {
  checkRabbitVersion(host, version);
  if (addressingMode !== "dynamic") {
    throw new ConfigurationError(
      "addressing_mode",
      `RabbitMQ has addresses of its own, not ${addressingMode} ones: remove it`,
    );
  }
  if (succession === undefined) throw new ConfigurationError("drivers", `RabbitMQ ${NEEDS_RABBIT}`);
  return succession.handOver(host);
}
