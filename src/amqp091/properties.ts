import type { Writer } from "../core/types/writer.js";
import { writeOctet, writeShort, writeShortstr, writeTable } from "./encoding.js";
import type { FieldTable } from "./field-table.js";
import { type KnownHeaders, readHeaders } from "./headers.js";
import type { Reader } from "./reader.js";

/** Properties of a message to publish. Omitted ones are not sent. */
export interface Properties {
  /** MIME type of the body. */
  contentType?: string | undefined;
  /** Encoding of the body, such as `utf-8`. */
  contentEncoding?: string | undefined;
  headers?: FieldTable | undefined;
  /** 1: transient; 2: persistent. */
  deliveryMode?: 1 | 2 | undefined;
  /** 0 to 255. */
  priority?: number | undefined;
  /** Milliseconds that the message may wait in a queue, as decimal digits. */
  expiration?: string | undefined;
  messageId?: string | undefined;
}

/** Bits of the property flags, from the highest. */
const CONTENT_TYPE = 0x8000;
const CONTENT_ENCODING = 0x4000;
const HEADERS = 0x2000;
const DELIVERY_MODE = 0x1000;
const PRIORITY = 0x0800;
const CORRELATION_ID = 0x0400;
const REPLY_TO = 0x0200;
const EXPIRATION = 0x0100;
const MESSAGE_ID = 0x0080;
const TIMESTAMP = 0x0040;
const TYPE = 0x0020;
const USER_ID = 0x0010;
const APP_ID = 0x0008;
const CLUSTER_ID = 0x0004;

/** The properties of a received message that are read. Text that is not valid UTF-8 has replacement characters. */
export class ReceivedProperties implements KnownHeaders {
  contentType: string | undefined;
  contentEncoding: string | undefined;
  compression: string | undefined;
  streamOffset: number | undefined;
  deliveryMode: number | undefined;
  priority: number | undefined;
  expiration: string | undefined;
  messageId: string | undefined;
}

/**
 * Reads the property flags and all properties of a content header.
 *
 * @throws Amqp091Error when a size exceeds the frame, or for flags that have no meaning.
 */
export function readProperties(reader: Reader): ReceivedProperties {
  const properties = new ReceivedProperties();
  const flags = reader.short();
  if ((flags & 3) !== 0) throw reader.error(`unknown property flags 0x${flags.toString(16)}`);
  if (flags & CONTENT_TYPE) properties.contentType = reader.shortstr();
  if (flags & CONTENT_ENCODING) properties.contentEncoding = reader.shortstr();
  if (flags & HEADERS) readHeaders(reader, properties);
  if (flags & DELIVERY_MODE) properties.deliveryMode = reader.octet();
  if (flags & PRIORITY) properties.priority = reader.octet();
  if (flags & CORRELATION_ID) reader.skip(reader.octet());
  if (flags & REPLY_TO) reader.skip(reader.octet());
  if (flags & EXPIRATION) properties.expiration = reader.shortstr();
  if (flags & MESSAGE_ID) properties.messageId = reader.shortstr();
  if (flags & TIMESTAMP) reader.skip(8);
  if (flags & TYPE) reader.skip(reader.octet());
  if (flags & USER_ID) reader.skip(reader.octet());
  if (flags & APP_ID) reader.skip(reader.octet());
  if (flags & CLUSTER_ID) reader.skip(reader.octet());
  reader.finish();
  return properties;
}

/** Writes the property flags and the properties. Throws as the functions of encoding.ts. */
export function writeProperties(writer: Writer, properties: Properties): void {
  const { contentType, contentEncoding, headers, deliveryMode, priority, expiration, messageId } = properties;
  writeShort(
    writer,
    "flags",
    (contentType === undefined ? 0 : CONTENT_TYPE) |
      (contentEncoding === undefined ? 0 : CONTENT_ENCODING) |
      (headers === undefined ? 0 : HEADERS) |
      (deliveryMode === undefined ? 0 : DELIVERY_MODE) |
      (priority === undefined ? 0 : PRIORITY) |
      (expiration === undefined ? 0 : EXPIRATION) |
      (messageId === undefined ? 0 : MESSAGE_ID),
  );
  if (contentType !== undefined) writeShortstr(writer, "contentType", contentType);
  if (contentEncoding !== undefined) writeShortstr(writer, "contentEncoding", contentEncoding);
  if (headers !== undefined) writeTable(writer, "headers", headers);
  if (deliveryMode !== undefined) writeOctet(writer, "deliveryMode", deliveryMode);
  if (priority !== undefined) writeOctet(writer, "priority", priority);
  if (expiration !== undefined) writeShortstr(writer, "expiration", expiration);
  if (messageId !== undefined) writeShortstr(writer, "messageId", messageId);
}
