import type { ConnectOptions } from "../driver.js";
import { ConfigurationError } from "../exceptions.js";
import type { Transport } from "../transport.js";
import { AmqpDriver } from "./driver.js";
import type { DriverConnection } from "./driver-connection.js";

/**
 * The connection of a transport of AMQP 1.0, for additional links. Connects first if necessary, as the transport does.
 *
 * @throws ConfigurationError for a URL of another protocol.
 * @throws as {@link Transport.connect}.
 */
export async function amqpConnection(transport: Transport, options?: ConnectOptions): Promise<DriverConnection> {
  const { driver, url } = transport;
  if (driver instanceof AmqpDriver) return await driver.connection(options);
  throw new ConfigurationError("url", `${url.scheme}:// is not a scheme of AMQP 1.0`);
}
