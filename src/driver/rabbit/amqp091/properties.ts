import type { Properties } from "../../../amqp091/properties.js";
import type { RabbitMessage } from "../publishing.js";
import { JSON_TYPE } from "../wire.js";

/** Longest expiration that RabbitMQ accepts, in milliseconds. */
const MAX_EXPIRATION_MS = 0xffff_ffff;

const PROPERTIES: Properties = Object.freeze({
  contentType: JSON_TYPE,
  contentEncoding: "utf-8",
  headers: {},
  deliveryMode: 2,
  priority: 0,
});
/** The name in the header `compression`, whose format is zlib's (oslo_messaging/_drivers/impl_rabbit.py, from kombu). */
const GZIP = { compression: "application/x-gzip" };

/** The properties of a message, as Python's driver sends them. */
export function propertiesOf({ expirationMs, compression }: RabbitMessage): Properties {
  if (expirationMs === undefined && compression === undefined) return PROPERTIES;
  const headers = compression === undefined ? PROPERTIES.headers : GZIP;
  if (expirationMs === undefined) return { ...PROPERTIES, headers };
  return { ...PROPERTIES, headers, expiration: `${Math.trunc(Math.min(expirationMs, MAX_EXPIRATION_MS))}` };
}
