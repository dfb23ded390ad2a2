import { type AmqpErrorInit, forWire, textEntries } from "../errors.js";
import { NULL } from "../types/codes.js";
import { ACCEPTED_STATE, ERROR, MODIFIED_STATE, REJECTED_STATE, RELEASED_STATE } from "../types/descriptors.js";
import type { Reader } from "../types/reader.js";
import type { Writer } from "../types/writer.js";
import { ACCEPTED, type DeliveryState, RELEASED } from "./outcome.js";

/** Writes an outcome (messaging 3.4). */
export function writeState(writer: Writer, state: DeliveryState): void {
  switch (state.type) {
    case "accepted":
      return writeEmptyState(writer, ACCEPTED_STATE);
    case "released":
      return writeEmptyState(writer, RELEASED_STATE);
    case "modified": {
      writer.descriptor(MODIFIED_STATE);
      const list = writer.beginList();
      writer.boolean(state.deliveryFailed);
      writer.boolean(state.undeliverableHere);
      return writer.endList(list, 2);
    }
    case "rejected": {
      if (state.error === undefined) return writeEmptyState(writer, REJECTED_STATE);
      writer.descriptor(REJECTED_STATE);
      const list = writer.beginList();
      writeError(writer, state.error);
      return writer.endList(list, 1);
    }
    default:
      return state satisfies never;
  }
}

function writeEmptyState(writer: Writer, code: number): void {
  writer.descriptor(code);
  writer.endList(writer.beginList(), 0);
}

function writeError(writer: Writer, error: AmqpErrorInit): void {
  const { condition, description } = forWire(error);
  writer.descriptor(ERROR);
  const list = writer.beginList();
  writer.symbol(condition);
  if (description !== undefined) writer.string(description);
  writer.endList(list, description === undefined ? 1 : 2);
}

/** Reads the state of a disposition. Returns undefined for null and for a state that is not an outcome. */
export function readState(reader: Reader): DeliveryState | undefined {
  if (reader.bytes[reader.at] === NULL) {
    reader.at++;
    return undefined;
  }
  switch (reader.described()) {
    case ACCEPTED_STATE:
      reader.skip();
      return ACCEPTED;
    case REJECTED_STATE: {
      const count = reader.list();
      const end = reader.listEnd;
      const error = count > 0 ? readError(reader) : undefined;
      reader.leaveList(Math.max(0, count - 1), end);
      return { type: "rejected", error };
    }
    case RELEASED_STATE:
      reader.skip();
      return RELEASED;
    case MODIFIED_STATE: {
      const count = reader.list();
      const end = reader.listEnd;
      const deliveryFailed = count > 0 && reader.boolean() === true;
      const undeliverableHere = count > 1 && reader.boolean() === true;
      reader.leaveList(Math.max(0, count - 2), end);
      return { type: "modified", deliveryFailed, undeliverableHere };
    }
    default: // `received`, or the state of a transaction: no outcome yet
      reader.skip();
      return undefined;
  }
}

function readError(reader: Reader): AmqpErrorInit | undefined {
  if (reader.bytes[reader.at] === NULL) {
    reader.at++;
    return undefined;
  }
  reader.described();
  const count = reader.list();
  const end = reader.listEnd;
  const condition = count > 0 ? reader.string() : undefined;
  if (condition === undefined) throw reader.error("error without condition");
  const description = count > 1 ? reader.string() : undefined;
  const info = count > 2 ? reader.value() : undefined;
  reader.leaveList(Math.max(0, count - 3), end);
  return { condition, description, info: info instanceof Map ? Object.fromEntries(textEntries(info)) : undefined };
}
