import fc from "fast-check";
import frames from "rhea/lib/frames.js";
import { expect, test } from "vitest";
import { type Composite, readPerformative, writeFrame } from "@/src/core/connection/control/rhea-types.js";
import { ProtocolError } from "@/src/core/errors.js";
import { Reader } from "@/src/core/types/reader.js";
import { Writer } from "@/src/core/types/writer.js";
// Defines the performatives and termini.
import "@/src/core/connection/control/control.js";

const text = fc.string({ unit: "grapheme", maxLength: 300 });
const symbol = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 300 });
const uint = fc.nat(2 ** 32 - 1);
const error = fc.record({ condition: symbol, description: text }, { requiredKeys: ["condition"] });

/** The fields that are used of each performative. rhea's own codec is the reference. */
const performatives = {
  open: fc.record(
    {
      container_id: text,
      hostname: text,
      max_frame_size: uint,
      channel_max: fc.nat(0xffff),
      idle_time_out: uint,
      offered_capabilities: fc.array(symbol, { minLength: 1, maxLength: 3 }),
      properties: fc.dictionary(symbol, fc.oneof(text, fc.nat()), { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
    },
    { requiredKeys: ["container_id"] },
  ),
  begin: fc.record(
    {
      remote_channel: fc.nat(0xffff),
      next_outgoing_id: uint,
      incoming_window: uint,
      outgoing_window: uint,
      handle_max: uint,
    },
    { requiredKeys: ["next_outgoing_id", "incoming_window", "outgoing_window"] },
  ),
  attach: fc.record(
    {
      name: text,
      handle: uint,
      role: fc.boolean(),
      snd_settle_mode: fc.nat(2),
      initial_delivery_count: uint,
      max_message_size: fc.nat(Number.MAX_SAFE_INTEGER),
    },
    { requiredKeys: ["name", "handle", "role"] },
  ),
  detach: fc.record({ handle: uint, closed: fc.boolean(), error }, { requiredKeys: ["handle"] }),
  end: fc.record({ error }, { requiredKeys: [] }),
  close: fc.record({ error }, { requiredKeys: [] }),
};

const names = Object.keys(performatives) as (keyof typeof performatives)[];

test.each(names)("%s is read and written as by rhea's own codec", (name) => {
  const fields: fc.Arbitrary<Record<string, unknown>> = performatives[name];
  fc.assert(
    fc.property(fields, fc.nat(0xffff), (given, channel) => {
      const bytes = frames.write_frame(frames.amqp_frame(channel, frames[name](given)));
      const performative = readPerformative(new Reader(bytes, 8));
      expect(fieldsOf(performative)).toEqual(given);
      const written = writeFrame(new Writer(64), channel, Object.assign(performative, given));
      const { channel: writtenChannel, performative: again } = frames.read_frame(Buffer.from(written));
      expect([writtenChannel, JSON.stringify(again)]).toEqual([
        channel,
        JSON.stringify(frames.read_frame(bytes).performative),
      ]);
    }),
  );
});

test("an error that is not a described list is refused", () => {
  const close = Uint8Array.of(0, 0x53, 0x18, 0xc0, 4, 1, 0xa1, 1, 0x78);
  expect(() => readPerformative(new Reader(close))).toThrow(ProtocolError);
});

/** The present fields by name, errors and maps as objects. */
function fieldsOf({ definition, value }: Composite): object {
  const present = definition.fields.map(({ name }, index) => [name, plain(value[index])] as const);
  return Object.fromEntries(present.filter(([, field]) => field !== undefined));
}

function plain(field: unknown): unknown {
  if (field instanceof Map) return Object.fromEntries(field);
  return typeof field === "object" && field !== null && "definition" in field ? fieldsOf(field as Composite) : field;
}
