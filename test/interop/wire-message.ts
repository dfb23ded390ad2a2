import rheaTypes, { type RheaTyped } from "rhea/lib/types.js";

/** A value with the type that it has on the wire, by rhea's name: Str8, Str32, Uint0... */
export interface WireValue {
  type: string;
  value: unknown;
}

/**
 * A message section by section and field by field: `header` and `properties` with the number of their fields, each field
 * (`header.ttl`) that is there, nulls too, and `amqp-value`. A section's type is its descriptor's and its body's.
 */
export type WireMessage = Record<string, WireValue>;

/** Messaging 3.2. */
const SECTIONS: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [0x70, "header"],
  [0x71, "delivery-annotations"],
  [0x72, "message-annotations"],
  [0x73, "properties"],
  [0x74, "application-properties"],
  [0x75, "data"],
  [0x76, "amqp-sequence"],
  [0x77, "amqp-value"],
  [0x78, "footer"],
]);

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  header: ["durable", "priority", "ttl", "first-acquirer", "delivery-count"],
  properties: [
    "message-id",
    "user-id",
    "to",
    "subject",
    "reply-to",
    "correlation-id",
    "content-type",
    "content-encoding",
    "absolute-expiry-time",
    "creation-time",
    "group-id",
    "group-sequence",
    "reply-to-group-id",
  ],
};

/** Reads a message by rhea's codec, not by ours. */
export function readWireMessage(payload: Uint8Array): WireMessage {
  const reader = new rheaTypes.Reader(Buffer.from(payload));
  const message: WireMessage = {};
  while (reader.remaining() > 0) {
    const section = reader.read();
    const code = section.descriptor?.value;
    const name = SECTIONS.get(code) ?? `section ${code}`;
    if (Object.hasOwn(message, name)) throw new Error(`a message with a second ${name}`);
    const type = `${section.descriptor?.type.name} ${section.type.name}`;
    const fields = FIELDS[name];
    if (fields === undefined) {
      message[name] = { type, value: section.value };
      continue;
    }
    const values = section.value as RheaTyped[];
    message[name] = { type, value: `${values.length} fields` };
    for (const [index, { type, value }] of values.entries()) {
      message[`${name}.${fields[index] ?? index}`] = { type: type.name, value };
    }
  }
  return message;
}
