import { decodeMessage, encodeMessage } from "../../../core/messages/message.js";
import { AMQP_VALUE } from "../../../core/types/descriptors.js";
import { Writer } from "../../../core/types/writer.js";
import { LinkRefusal } from "./link-refusal.js";

/** A value in the body of a request. */
export type ManagedValue = string | number | boolean | ManagedMap;

export interface ManagedMap {
  readonly [name: string]: ManagedValue;
}

/** A request to the management of RabbitMQ 4: HTTP over AMQP. */
export interface ManagementRequest {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: ManagedMap | undefined;
}

/** Requests are small: an own buffer for each one would be as large as the largest. */
const SLAB_BYTES = 1_024;

/** @throws RangeError for a number that is not an integer of 0 to 2^53 - 1. */
export function encodeManagementRequest(id: string, { method, path, body }: ManagementRequest): Uint8Array {
  const writer = new Writer(SLAB_BYTES);
  // The address by which the specification of link pairs names the client's end.
  encodeMessage(writer, { messageId: id, to: path, subject: method, replyTo: "$me" });
  writer.descriptor(AMQP_VALUE);
  if (body === undefined) writer.null();
  else writeMap(writer, body);
  return writer.take();
}

function writeMap(writer: Writer, map: ManagedMap): void {
  const entries = Object.entries(map);
  const mark = writer.beginList();
  for (const [name, value] of entries) {
    writer.string(name);
    writeValue(writer, value);
  }
  writer.endMap(mark, entries.length * 2);
}

function writeValue(writer: Writer, value: ManagedValue): void {
  if (typeof value === "string") writer.string(value);
  else if (typeof value === "boolean") writer.boolean(value);
  else if (typeof value === "object") writeMap(writer, value);
  else if (value <= 0xffff_ffff) writer.uint(value);
  else writer.ulong(value);
}

export interface ManagementResponse {
  /** `messageId` of the request. */
  readonly id: unknown;
  /** Undefined when the broker did what was requested. */
  readonly refusal: LinkRefusal | undefined;
}

/** @throws ProtocolError when it cannot be decoded. */
export function decodeManagementResponse(payload: Uint8Array): ManagementResponse {
  const { correlationId: id, subject: status = "", body } = decodeMessage(payload);
  if (status.startsWith("2")) return { id, refusal: undefined };
  const text = body?.type === "value" && typeof body.value === "string" ? body.value : `status ${status}`;
  return { id, refusal: new LinkRefusal({ condition: conditionOf(status, text), description: text }) };
}

/** RabbitMQ answers 400 for all errors that have no status of their own, such as a binding to a missing exchange. */
function conditionOf(status: string, text: string): string {
  switch (status) {
    case "403":
      return "amqp:unauthorized-access";
    case "404":
      return "amqp:not-found";
    case "409":
      return "amqp:precondition-failed";
    default:
      return /^no (queue|exchange) /.test(text) ? "amqp:not-found" : "amqp:internal-error";
  }
}
