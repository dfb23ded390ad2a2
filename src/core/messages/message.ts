import { concat } from "../types/bytes.js";
import { SMALLULONG, ULONG, ULONG0, UUID, VBIN8, VBIN32 } from "../types/codes.js";
import {
  AMQP_SEQUENCE,
  AMQP_VALUE,
  APPLICATION_PROPERTIES,
  DATA,
  DELIVERY_ANNOTATIONS,
  FOOTER,
  HEADER,
  MESSAGE_ANNOTATIONS,
  PROPERTIES,
} from "../types/descriptors.js";
import { Reader } from "../types/reader.js";
import { Uuid } from "../types/uuid.js";
import type { Writer } from "../types/writer.js";

export type MessageId = string | bigint | Uint8Array | Uuid;

export type Body =
  | { readonly type: "value"; readonly value: unknown }
  | { readonly type: "data"; readonly bytes: Uint8Array }
  | { readonly type: "sequence"; readonly items: readonly unknown[] };

/** Header, properties and body of a message (messaging 3.2). Omitted fields and an omitted body section are undefined. */
export interface Message {
  durable?: boolean | undefined;
  priority?: number | undefined;
  /** Milliseconds. */
  ttl?: number | undefined;
  firstAcquirer?: boolean | undefined;
  deliveryCount?: number | undefined;
  messageId?: MessageId | undefined;
  userId?: Uint8Array | undefined;
  to?: string | undefined;
  subject?: string | undefined;
  replyTo?: string | undefined;
  correlationId?: MessageId | undefined;
  contentType?: string | undefined;
  contentEncoding?: string | undefined;
  /** Milliseconds since 1970. */
  absoluteExpiryTime?: bigint | undefined;
  /** Milliseconds since 1970. */
  creationTime?: bigint | undefined;
  groupId?: string | undefined;
  groupSequence?: number | undefined;
  replyToGroupId?: string | undefined;
  body?: Body | undefined;
}

/** Maximum number of sections of a body: limits the memory that empty sections can take. */
const MAX_SECTIONS = 65_536;

/**
 * Writes header and properties, each without its trailing omitted fields, and the body, as qpid-proton does. The body is
 * a value (string, null or bytes) or data: the driver sends no other. When it throws, nothing of the message has been
 * written.
 *
 * @throws TypeError for any other body.
 * @throws RangeError when a number is outside the range of its field.
 */
export function encodeMessage(writer: Writer, message: Message): void {
  const start = writer.at - writer.from;
  try {
    writeHeader(writer, message);
    writeProperties(writer, message);
    if (message.body !== undefined) writeBody(writer, message.body);
  } catch (error) {
    writer.at = writer.from + start;
    throw error;
  }
}

/**
 * Reads a message, or with `untilBody` only the sections before its body. Annotations, application properties and the
 * footer are checked and skipped. Bytes in the result are views of `payload`, except those of a body in several sections.
 *
 * @throws ProtocolError when `payload` is not a valid message.
 */
export function decodeMessage(payload: Uint8Array, untilBody = false): Message {
  const reader = new Reader(payload);
  const message = emptyMessage();
  let seen = 0; // a bit for each kind of section; in any order, because rhea sends the footer before the body
  while (reader.at < reader.end) {
    const section = reader.described();
    const bit = section >= DATA && section <= AMQP_VALUE ? 1 : 1 << (section & 0x1f);
    if ((seen & bit) !== 0) throw reader.error(`duplicate message section 0x${section.toString(16)}`);
    seen |= bit;
    switch (section) {
      case HEADER:
        readHeader(reader, message);
        break;
      case PROPERTIES:
        readProperties(reader, message);
        break;
      case DATA:
      case AMQP_SEQUENCE:
      case AMQP_VALUE:
        if (untilBody) return message;
        message.body = readBody(reader, section);
        break;
      case DELIVERY_ANNOTATIONS:
      case MESSAGE_ANNOTATIONS:
      case APPLICATION_PROPERTIES:
      case FOOTER:
        reader.skip();
        break;
      default:
        throw reader.error(`unknown message section 0x${section.toString(16)}`);
    }
  }
  return message;
}

function writeHeader(writer: Writer, message: Message): void {
  let count = 0;
  if (message.deliveryCount !== undefined) count = 5;
  else if (message.firstAcquirer !== undefined) count = 4;
  else if (message.ttl !== undefined) count = 3;
  else if (message.priority !== undefined) count = 2;
  else if (message.durable !== undefined) count = 1;
  writer.descriptor(HEADER);
  const list = writer.beginList();
  if (count > 0) writer.boolean(message.durable);
  if (count > 1) writer.ubyte(message.priority);
  if (count > 2) writer.uint(message.ttl);
  if (count > 3) writer.boolean(message.firstAcquirer);
  if (count > 4) writer.uint(message.deliveryCount);
  writer.endList(list, count);
}

function writeProperties(writer: Writer, message: Message): void {
  const count = propertiesCount(message);
  writer.descriptor(PROPERTIES);
  const list = writer.beginList();
  if (count > 0) writeMessageId(writer, message.messageId);
  if (count > 1) writer.binary(message.userId);
  if (count > 2) writer.string(message.to);
  if (count > 3) writer.string(message.subject);
  if (count > 4) writer.string(message.replyTo);
  if (count > 5) writeMessageId(writer, message.correlationId);
  if (count > 6) writer.symbol(message.contentType);
  if (count > 7) writer.symbol(message.contentEncoding);
  if (count > 8) writer.timestamp(message.absoluteExpiryTime);
  if (count > 9) writer.timestamp(message.creationTime);
  if (count > 10) writer.string(message.groupId);
  if (count > 11) writer.uint(message.groupSequence);
  if (count > 12) writer.string(message.replyToGroupId);
  writer.endList(list, count);
}

/** Number of fields up to the last one that is set. */
function propertiesCount(message: Message): number {
  if (message.replyToGroupId !== undefined) return 13;
  if (message.groupSequence !== undefined) return 12;
  if (message.groupId !== undefined) return 11;
  if (message.creationTime !== undefined) return 10;
  if (message.absoluteExpiryTime !== undefined) return 9;
  if (message.contentEncoding !== undefined) return 8;
  if (message.contentType !== undefined) return 7;
  if (message.correlationId !== undefined) return 6;
  if (message.replyTo !== undefined) return 5;
  if (message.subject !== undefined) return 4;
  if (message.to !== undefined) return 3;
  if (message.userId !== undefined) return 2;
  return message.messageId === undefined ? 0 : 1;
}

function writeMessageId(writer: Writer, id: MessageId | undefined): void {
  if (id === undefined || typeof id === "string") writer.string(id);
  else if (typeof id === "bigint") writer.ulong(id);
  else if (id instanceof Uuid) writer.uuid(id);
  else writer.binary(id);
}

function writeBody(writer: Writer, body: Body): void {
  if (body.type === "sequence") throw new TypeError("cannot send a sequence as a message body");
  if (body.type === "data") {
    writer.descriptor(DATA);
    writer.binary(body.bytes);
    return;
  }
  const { value } = body;
  writer.descriptor(AMQP_VALUE);
  if (typeof value === "string") writer.string(value);
  else if (value === null || value === undefined) writer.null();
  else if (ArrayBuffer.isView(value)) writer.binary(value as Uint8Array);
  else throw new TypeError(`cannot send a ${typeof value} as a message body`);
}

/** Defines all fields at once: messages of one shape keep the code that reads them fast. */
function emptyMessage(): Message {
  return {
    durable: undefined,
    priority: undefined,
    ttl: undefined,
    firstAcquirer: undefined,
    deliveryCount: undefined,
    messageId: undefined,
    userId: undefined,
    to: undefined,
    subject: undefined,
    replyTo: undefined,
    correlationId: undefined,
    contentType: undefined,
    contentEncoding: undefined,
    absoluteExpiryTime: undefined,
    creationTime: undefined,
    groupId: undefined,
    groupSequence: undefined,
    replyToGroupId: undefined,
    body: undefined,
  };
}

function readHeader(reader: Reader, message: Message): void {
  const count = reader.list();
  const end = reader.listEnd;
  if (count > 0) message.durable = reader.boolean();
  if (count > 1) message.priority = reader.ubyte();
  if (count > 2) message.ttl = reader.uint();
  if (count > 3) message.firstAcquirer = reader.boolean();
  if (count > 4) message.deliveryCount = reader.uint();
  reader.leaveList(count - 5, end);
}

function readProperties(reader: Reader, message: Message): void {
  const count = reader.list();
  const end = reader.listEnd;
  if (count > 0) message.messageId = readMessageId(reader);
  if (count > 1) message.userId = reader.binary();
  if (count > 2) message.to = reader.string();
  if (count > 3) message.subject = reader.string();
  if (count > 4) message.replyTo = reader.string();
  if (count > 5) message.correlationId = readMessageId(reader);
  if (count > 6) message.contentType = reader.string();
  if (count > 7) message.contentEncoding = reader.string();
  if (count > 8) message.absoluteExpiryTime = reader.timestamp();
  if (count > 9) message.creationTime = reader.timestamp();
  if (count > 10) message.groupId = reader.string();
  if (count > 11) message.groupSequence = reader.uint();
  if (count > 12) message.replyToGroupId = reader.string();
  reader.leaveList(count - 13, end);
}

function readMessageId(reader: Reader): MessageId | undefined {
  switch (reader.bytes[reader.at]) {
    case ULONG0:
    case SMALLULONG:
    case ULONG:
      return reader.ulong();
    case UUID:
      return reader.uuid();
    case VBIN8:
    case VBIN32:
      return reader.binary();
    default:
      return reader.string();
  }
}

/** Reads a body: one value, or one or more sections of data or of sequences, which are joined. */
function readBody(reader: Reader, section: number): Body {
  if (section === AMQP_VALUE) return { type: "value", value: reader.value() };
  const pieces: Uint8Array[] = [];
  const items: unknown[] = [];
  let length = 0;
  for (let sections = 1; ; sections++) {
    if (sections > MAX_SECTIONS) throw reader.error(`message body of more than ${MAX_SECTIONS} sections`);
    if (section === DATA) {
      const piece = reader.binary();
      if (piece === undefined) throw reader.error("data section without data");
      pieces.push(piece);
      length += piece.length;
    } else {
      const list = reader.value();
      if (!Array.isArray(list)) throw reader.error("amqp-sequence section without a list");
      for (const item of list) items.push(item);
    }
    if (!continues(reader, section)) break;
  }
  return section === DATA ? { type: "data", bytes: concat(pieces, length) } : { type: "sequence", items };
}

/** Enters the next section if it is of the same kind. */
function continues(reader: Reader, section: number): boolean {
  const { at } = reader;
  if (at === reader.end) return false;
  if (reader.described() === section) return true;
  reader.at = at;
  return false;
}
