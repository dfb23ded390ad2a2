import type { Message } from "@/src/core/messages/message.js";

/** A message with this text as its body, as the drivers write them. */
export function textMessage(value: string, properties: Omit<Message, "body"> = {}): Message {
  return { ...properties, body: { type: "value", value } };
}

type Poison = readonly [what: string, payload: Uint8Array, told: RegExp];

/** Messages with bodies that no decoder may believe, and what ours says of them. rhea ends the process on the first two. */
export const BAD_BODIES: readonly Poison[] = [
  ["a list of 4,294,967,295 nulls in 13 bytes", value("f0 00000005 ffffffff 40"), /array32 of 4294967295 times null/],
  ["24 lists within each other, of 16 MB each", value("d0 00000001 ffffffff".repeat(24)), /list32/],
  ["40 lists within each other", value(nestedLists(40)), /deep|depth|nested/],
  ["text of 4 GB in 8 bytes", value("b1 ffffffff 61"), /str32 that needs 4294967295 bytes where 1 are left/],
  ["text that is not UTF-8", value("a1 02 c328"), /UTF-8/],
  ["a number", value("54 01"), /holds no text but a number/],
  ["a sequence", bytes("00 53 76 45"), /an amqp-sequence section, which holds no text/],
  ["a map with a key and no value", value("c1 03 01 a1 00"), /map/],
  ["a type that does not exist", value("ee"), /0xee/],
  ["a section that does not exist", bytes("00 53 10 45"), /0x10/],
  ["two bodies", bytes("00 53 77 40 00 53 77 40"), /0x77/],
];

/** Bytes that an intermediary which looks at more than the address does not take in the first place. */
export const BAD_SECTIONS: readonly Poison[] = [
  ["properties that are no list", bytes("00 53 73 a1 01 61 00 53 77 40"), /list/],
  ["half a header", bytes("00 53 70 c0"), /list8/],
  ["no AMQP at all", new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"), /0x47/],
];

/** An amqp-value section. */
function value(hex: string): Uint8Array {
  return bytes(`00 53 77 ${hex}`);
}

/** Each of one element, the next one. */
function nestedLists(depth: number): string {
  let hex = "45";
  for (let level = 0; level < depth; level++) {
    const size = hex.replaceAll(" ", "").length / 2;
    hex = `c0 ${(size + 1).toString(16).padStart(2, "0")} 01 ${hex}`;
  }
  return hex;
}

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}
