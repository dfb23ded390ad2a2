import { concat } from "../../../core/types/bytes.js";
import { MAP8, MAP32 } from "../../../core/types/codes.js";
import { AMQP_VALUE, APPLICATION_PROPERTIES, DATA, PROPERTIES } from "../../../core/types/descriptors.js";
import { Reader } from "../../../core/types/reader.js";
import { utf8Encoder } from "../../../core/types/utf8.js";
import type { QueueDelivery } from "../broker-connection.js";

/** The parts of a message that the driver reads. */
export type ReceivedMessage = Pick<QueueDelivery, "body" | "properties">;

/** Place of the content-type in the properties section (messaging 3.2.4). */
const CONTENT_TYPE = 6;

const NOTHING = new Uint8Array(0);

/**
 * Reads body, content type and the application property `compression`. The body of a message that was published by AMQP 0-9-1 is
 * one data section, and a view of `payload` then.
 *
 * @throws ProtocolError when it cannot be decoded.
 */
export function readMessage(payload: Uint8Array): ReceivedMessage {
  const reader = new Reader(payload);
  const pieces: Uint8Array[] = [];
  let contentType: string | undefined;
  let compression: string | undefined;
  while (reader.at < reader.end) {
    switch (reader.described()) {
      case PROPERTIES:
        contentType = readContentType(reader);
        break;
      case APPLICATION_PROPERTIES:
        compression = readCompression(reader);
        break;
      case DATA:
        pieces.push(reader.binary() ?? NOTHING);
        break;
      case AMQP_VALUE:
        pieces.push(bytesOf(reader.value()));
        break;
      default:
        reader.skip();
    }
  }
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return { body: concat(pieces, length), properties: { contentType, compression } };
}

function readContentType(reader: Reader): string | undefined {
  const count = reader.list();
  const end = reader.listEnd;
  for (let i = 0; i < Math.min(count, CONTENT_TYPE); i++) reader.skip();
  const contentType = count > CONTENT_TYPE ? reader.string() : undefined;
  reader.leaveList(Math.max(0, count - CONTENT_TYPE - 1), end);
  return contentType;
}

function readCompression(reader: Reader): string | undefined {
  const code = reader.bytes[reader.at];
  if (code !== MAP8 && code !== MAP32) throw reader.error("application properties that are no map");
  const properties = reader.value() as ReadonlyMap<unknown, unknown>;
  const compression = properties.get("compression");
  return typeof compression === "string" ? compression : undefined;
}

/** A body that another client of AMQP 1.0 sent as a value. */
function bytesOf(value: unknown): Uint8Array {
  if (typeof value === "string") return utf8Encoder().encode(value);
  return value instanceof Uint8Array ? value : NOTHING;
}
