import fc from "fast-check";
import types from "rhea/lib/types.js";
import { expect, it } from "vitest";
import { ProtocolError } from "@/src/core/errors.js";
import { Reader } from "@/src/core/types/reader.js";
import { amqpValue } from "@/test/fixtures/peers/amqp-values.js";

/**
 * rhea trusts every count and size: input that passes our checks must have the same structure for rhea, or a peer controls
 * what rhea reads.
 */
it("rhea reads a value that passes our reader to the same end", () => {
  const mutation = fc.tuple(fc.nat(), fc.nat(255), fc.boolean());
  fc.assert(
    fc.property(amqpValue, fc.array(mutation, { maxLength: 3 }), ({ bytes }, mutations) => {
      const changed = Buffer.from([...bytes, 0x40, 0x40, 0x40, 0x40]);
      for (const [position, byte, structural] of mutations) {
        changed[position % bytes.length] = structural ? (STRUCTURE[byte % STRUCTURE.length] ?? 0) : byte;
      }
      const end = passedBy(changed);
      if (end === undefined) return;
      const rhea = new types.Reader(changed);
      rhea.read();
      expect(changed.length - rhea.remaining()).toBe(end);
    }),
    { numRuns: 5_000 },
  );
});

/** Bytes that change the structure: constructors of compound types, and small sizes. */
const STRUCTURE = [0x00, 0x01, 0x02, 0x40, 0x45, 0x53, 0xa0, 0xc0, 0xc1, 0xd0, 0xd1, 0xe0, 0xf0];

function passedBy(bytes: Uint8Array): number | undefined {
  const reader = new Reader(bytes);
  try {
    reader.skip();
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError);
    return undefined;
  }
  return reader.at;
}
