import fc from "fast-check";
import { accepted } from "@/test/support/raw-peer.js";
import { attach } from "../intermediary/raw-client.js";
import { frame, MESSAGE } from "./conversations.js";
import { BEGIN } from "./raw-bed.js";

/** Makes something else of a conversation. */
export type Mutation = (frames: Uint8Array[]) => void;

/** Bytes that mean something: constructors, small and large sizes, descriptors of performatives. */
const BYTES = fc.oneof(
  fc.constantFrom(0x00, 0x01, 0x02, 0x40, 0x41, 0x43, 0x45, 0x53, 0x70, 0xa0, 0xc0, 0xd0, 0xe0, 0xf0, 0x7f, 0xff),
  fc.integer({ min: 0x10, max: 0x18 }),
  fc.nat(255),
);

const place = fc.nat(10_000);

const handle = fc.integer({ min: 0, max: 2 });
const flag = fc.boolean();
const serial = fc.oneof(fc.nat(6), fc.constantFrom(2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1));
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

/** What AMQP allows, when the conversation does not expect it. */
const wellFormed: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc
    .record({
      next_incoming_id: maybe(serial),
      incoming_window: serial,
      next_outgoing_id: serial,
      outgoing_window: serial,
      handle: maybe(handle),
      delivery_count: maybe(serial),
      link_credit: maybe(serial),
      drain: flag,
      echo: flag,
    })
    .map((fields) => frame("flow", fields)),
  fc
    .record({ handle, delivery_id: maybe(serial), settled: flag, more: flag, aborted: flag })
    .map((fields) => frame("transfer", { ...fields, delivery_tag: Buffer.of(7) }, MESSAGE)),
  fc
    .record({
      role: flag,
      first: serial,
      last: maybe(serial),
      settled: flag,
      state: fc.constantFrom(accepted(), undefined),
    })
    .map((fields) => frame("disposition", fields)),
  fc.record({ name: fc.constantFrom("out", "in", "__proto__"), handle, role: flag }).map((init) => attach(init)),
  fc.record({ handle, closed: flag }).map((fields) => frame("detach", fields)),
  fc
    .record({ remote_channel: maybe(fc.nat(1)), handle_max: serial })
    .map((fields) => frame("begin", { ...BEGIN, ...fields })),
  fc.constantFrom(frame("end", {}), frame("close", {}), frame("open", { container_id: "again" })),
);

/** The frame with another body, and a size that fits it: what is wrong with it lies deeper than its frame. */
function resized(frame: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array {
  const changed = Buffer.concat([frame.subarray(0, at), insert, frame.subarray(at + remove)]);
  if (changed.length >= 8 && frame.length >= 8 && frame[0] !== 0x41) changed.writeUInt32BE(changed.length);
  return changed;
}

function change(pick: number, of: (frame: Uint8Array) => Uint8Array): Mutation {
  return (frames) => {
    const index = pick % Math.max(1, frames.length);
    const frame = frames[index];
    if (frame !== undefined && frame.length > 0) frames[index] = of(frame);
  };
}

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, wellFormed).map(
    ([to, frame]): Mutation =>
      (frames) =>
        void frames.splice(to % (frames.length + 1), 0, frame),
  ),
  fc.tuple(place, place, BYTES).map(([pick, at, byte]) =>
    change(pick, (frame) => {
      const changed = Uint8Array.from(frame);
      changed[at % frame.length] = byte;
      return changed;
    }),
  ),
  fc
    .tuple(place, place, fc.nat(6), fc.array(BYTES, { maxLength: 12 }))
    .map(([pick, at, remove, insert]) =>
      change(pick, (frame) =>
        resized(frame, Math.min(frame.length, 8 + (at % frame.length)), remove, Uint8Array.from(insert)),
      ),
    ),
  fc.tuple(place, place).map(([pick, at]) => change(pick, (frame) => frame.subarray(0, at % frame.length))),
  fc.tuple(place, place, place).map(
    ([pick, from, at]): Mutation =>
      (frames) => {
        const other = frames[from % Math.max(1, frames.length)];
        if (other === undefined) return;
        change(pick, (frame) => resized(frame, at % frame.length, frame.length, other.subarray(at % other.length)))(
          frames,
        );
      },
  ),
  place.map(
    (pick): Mutation =>
      (frames) =>
        void frames.splice(pick % Math.max(1, frames.length), 1),
  ),
  fc.tuple(place, place, fc.integer({ min: 1, max: 5 })).map(
    ([from, to, times]): Mutation =>
      (frames) => {
        const frame = frames[from % Math.max(1, frames.length)];
        if (frame !== undefined) frames.splice(to % (frames.length + 1), 0, ...Array<Uint8Array>(times).fill(frame));
      },
  ),
);

export interface Speech {
  mutations: readonly Mutation[];
  /** Where the bytes are cut; undefined: behind every frame, so that the other side can answer in between. */
  cuts: readonly number[] | undefined;
}

export const speech: fc.Arbitrary<Speech> = fc.record({
  mutations: fc.array(mutation, { minLength: 1, maxLength: 4 }),
  cuts: fc.option(fc.array(place, { maxLength: 12 }), { nil: undefined, freq: 1 }),
});

/** The bytes of a conversation, changed, and cut into pieces. */
export function spoken(conversation: readonly Uint8Array[], { mutations, cuts }: Speech): Uint8Array[] {
  const frames = [...conversation];
  for (const mutate of mutations) mutate(frames);
  if (cuts === undefined) return frames;
  const bytes = Buffer.concat(frames);
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...ends].map((start, index) => Uint8Array.from(bytes.subarray(start, ends[index] ?? bytes.length)));
}
