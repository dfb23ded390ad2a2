import type { Driver } from "../driver.js";
import { ConfigurationError } from "../exceptions.js";

/** @throws ConfigurationError for an empty name, and when the driver has no pools. */
export function checkPool(pool: string | undefined, { hasPools }: Pick<Driver, "hasPools">): void {
  if (pool === "") throw new ConfigurationError("pool", "must not be empty");
  if (pool !== undefined && !hasPools) throw new ConfigurationError("pool", "is only supported by RabbitMQ");
}
