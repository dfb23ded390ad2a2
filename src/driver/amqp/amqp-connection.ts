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
  // It may be the one of AMQP 1.0 only until its peer is known.
  if (driver.inUse !== undefined) await driver.connect(options ?? {});
  const inUse = driver.inUse ?? driver;
  if (inUse instanceof AmqpDriver) return await inUse.connection(options);
  throw new ConfigurationError("url", `${url.scheme}:// is not a scheme of AMQP 1.0, or its peer is RabbitMQ`);
}
