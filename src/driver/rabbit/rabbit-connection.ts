import { ConfigurationError } from "../exceptions.js";
import type { Transport } from "../transport.js";
import { RabbitDriver } from "./driver.js";

/** The connections of a transport to RabbitMQ, with the names and properties of what it declares. */
export type RabbitConnections = Pick<RabbitDriver, "options" | "topology" | "connection">;

/**
 * The connections of a transport to RabbitMQ, for additional channels. One of AMQP 1.0 must have been connected before.
 *
 * @throws ConfigurationError for a URL of another protocol, and for a peer of AMQP 1.0 that is not RabbitMQ.
 */
export function rabbitConnections({ driver, url }: Transport): RabbitConnections {
  const inUse = driver.inUse ?? driver;
  if (inUse instanceof RabbitDriver) return inUse;
  throw new ConfigurationError("url", `${url.scheme}:// is not a scheme of AMQP 0-9-1, and its peer is not RabbitMQ`);
}
