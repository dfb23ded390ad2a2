import { ConfigurationError } from "../exceptions.js";
import type { Transport } from "../transport.js";
import { RabbitDriver } from "./driver.js";

/** The connections of a transport of AMQP 0-9-1, with the names and properties of what it declares. */
export type RabbitConnections = Pick<RabbitDriver, "options" | "topology" | "connection">;

/**
 * The connections of a transport of AMQP 0-9-1, for additional channels.
 *
 * @throws ConfigurationError for a URL of another protocol.
 */
export function rabbitConnections({ driver, url }: Transport): RabbitConnections {
  if (driver instanceof RabbitDriver) return driver;
  throw new ConfigurationError("url", `${url.scheme}:// is not a scheme of AMQP 0-9-1`);
}
