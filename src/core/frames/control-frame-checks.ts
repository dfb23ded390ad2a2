import { ProtocolError } from "../errors.js";
import { NULL } from "../types/codes.js";
import { ATTACH, BEGIN, CLOSE, DETACH, descriptorName, END, OPEN, SOURCE, TARGET } from "../types/descriptors.js";
import type { Reader } from "../types/reader.js";

/** Maximum size of an attach: it is kept as long as its link, and a connection can have thousands of links. */
const MAX_ATTACH_BYTES = 16_384;

/** Skips a field. Returns false when it is null, and throws when it has another type. */
type Pass = (reader: Reader) => boolean;

interface Field {
  readonly name: string;
  readonly pass: Pass;
  readonly mandatory: boolean;
}

const string: Pass = (reader) => reader.string() !== undefined;
const boolean: Pass = (reader) => reader.boolean() !== undefined;
const ubyte: Pass = (reader) => reader.ubyte() !== undefined;
const ushort: Pass = (reader) => reader.ushort() !== undefined;
const uint: Pass = (reader) => reader.uint() !== undefined;
const ulong: Pass = (reader) => reader.ulong() !== undefined;
const any: Pass = (reader) => {
  reader.skip();
  return true;
};

/** Accepts only this kind of terminus: rhea prints unknown ones, such as the coordinator of transactions. */
function terminus(expected: number): Pass {
  return (reader) => {
    if (reader.bytes[reader.at] === NULL) return any(reader);
    const code = reader.described();
    if (code !== expected) {
      throw new ProtocolError(`unsupported terminus 0x${code.toString(16)} in attach`, "amqp:not-implemented");
    }
    const count = reader.list();
    reader.leaveList(count, reader.listEnd);
    return true;
  };
}

/** The fields that are relied on, in order. Fields of type `any` and fields after these are skipped. */
const FIELDS: ReadonlyMap<number, readonly Field[]> = new Map([
  [
    OPEN,
    [
      must("container-id", string),
      may("hostname", string),
      may("max-frame-size", uint),
      may("channel-max", ushort),
      may("idle-time-out", uint),
    ],
  ],
  [
    BEGIN,
    [
      may("remote-channel", ushort),
      must("next-outgoing-id", uint),
      must("incoming-window", uint),
      must("outgoing-window", uint),
      may("handle-max", uint),
    ],
  ],
  [
    ATTACH,
    [
      must("name", string),
      must("handle", uint),
      must("role", boolean),
      may("snd-settle-mode", ubyte),
      may("rcv-settle-mode", ubyte),
      may("source", terminus(SOURCE)),
      may("target", terminus(TARGET)),
      may("unsettled", any),
      may("incomplete-unsettled", any),
      may("initial-delivery-count", uint),
      may("max-message-size", ulong),
    ],
  ],
  [DETACH, [must("handle", uint), may("closed", boolean)]],
  [END, []],
  [CLOSE, []],
]);

/**
 * Checks all of a performative of the control plane before rhea reads it, because rhea trusts every count, size and type.
 * `reader` is positioned after the descriptor `code`.
 *
 * @throws ProtocolError when the performative is invalid or an attach is larger than 16 KiB.
 */
export function checkControlFrame(reader: Reader, code: number): void {
  const fields = FIELDS.get(code);
  if (fields === undefined) throw reader.error(`unknown performative 0x${code.toString(16)}`);
  if (code === ATTACH && reader.end - reader.at > MAX_ATTACH_BYTES) {
    const description = `attach of ${reader.end - reader.at} bytes, the maximum is ${MAX_ATTACH_BYTES}`;
    throw new ProtocolError(description, "amqp:resource-limit-exceeded");
  }
  const count = reader.list();
  const end = reader.listEnd;
  for (const [index, { name, pass, mandatory }] of fields.entries()) {
    const present = index < count && pass(reader);
    if (mandatory && !present) throw reader.error(`${descriptorName(code)} without ${name}`);
  }
  reader.leaveList(count - fields.length, end);
  if (reader.at !== reader.end)
    throw reader.error(`${reader.end - reader.at} extra bytes after ${descriptorName(code)}`);
}

function must(name: string, pass: Pass): Field {
  return { name, pass, mandatory: true };
}

function may(name: string, pass: Pass): Field {
  return { name, pass, mandatory: false };
}
