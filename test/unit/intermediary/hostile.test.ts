import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Connection } from "@/src/core/connection/connection.js";
import { encodeMessage } from "@/src/core/messages/message.js";
import { ACCEPTED } from "@/src/core/messages/outcome.js";
import { Writer } from "@/src/core/types/writer.js";
import { IntermediaryBed, textMessage } from "@/test/fixtures/beds/intermediary-bed.js";
import * as raw from "@/test/fixtures/peers/frame-client.js";

const { AMQP, attach, begin, detach, disposition, flow, nothing, open, FrameClient, terminus, transfer } = raw;
const EMPTY = new Uint8Array(0);

let bed: IntermediaryBed;
let bystander: Connection;

describe.each(["router", "broker"] as const)("hostile clients of a %s", (kind) => {
  beforeEach(async () => {
    bed = new IntermediaryBed({ kind, limits: { queuedBytes: 4_000_000 } });
    bystander = await bed.connect();
  });

  afterEach(() => bed.close());

  test.each<[string, Uint8Array[]]>([
    ["two links with one name", [attach({ handle: 0 }), attach({ handle: 1 }), flow(1, 1)]],
    ["two links on one handle", [attach({ name: "x" }), attach({ name: "y" }), flow(0, 1)]],
    ["a link without source and target", [attach({ source: nothing, target: nothing }), flow(0, 1)]],
    ["a transaction coordinator", [attach({ role: false, target: terminus(0x30, "a") })]],
    [
      "links with names of Object.prototype",
      ["__proto__", "constructor"].map((name, handle) => attach({ name, handle })),
    ],
    ["a name of 60,000 characters", [attach({ name: "x".repeat(60_000) })]],
    ["a detach of a handle that is not attached", [detach(7)]],
    ["a link that is detached twice", [attach({}), detach(0), detach(0)]],
    ["credit on a link that was refused", [attach({ source: nothing }), flow(0, 100)]],
    ["credit of 2^32 - 1", [attach({}), flow(0, 0xffffffff)]],
    ["a transfer without credit", [attach({ role: false, target: terminus(0x29, "none") }), transfer(0, 0, EMPTY)]],
    ["a transfer on a consumer's link", [attach({}), transfer(0, 0, EMPTY)]],
    ["dispositions of deliveries that were never sent", [disposition(0, 0xffffffff), disposition(5, 3)]],
    ["a second session on a channel", [begin()]],
    ["a session on a high channel", [begin(60_000)]],
    ["a second open", [open()]],
  ])(`a ${kind} survives %s`, async (_, frames) => {
    const client = new FrameClient(bed.intermediary);
    client.say(AMQP, open(), begin(), ...frames);
    await expectToWork();
    client.vanish();
    await expectToWork();
    expect(bed.intermediary.connections).toBe(1);
  });

  test(`a ${kind} survives clients that disconnect at any point`, async () => {
    const frames = [AMQP, open(), begin(), attach({}), flow(0, 5), attach({ name: "out", handle: 1, role: false })];
    const bytes = Uint8Array.from(frames.flatMap((frame) => [...frame]));
    for (let cut = 0; cut <= bytes.length; cut += 7) {
      const client = new FrameClient(bed.intermediary);
      client.say(bytes.slice(0, cut));
      client.vanish();
    }
    expect(bed.intermediary.connections).toBe(1);
    await expectToWork();
  });

  test(`a ${kind} bounds the memory for a consumer that gives endless credit and does not read, and serves others`, async () => {
    const client = new FrameClient(bed.intermediary);
    client.say(AMQP, open(), begin(), attach({}), flow(0, 1_000_000));
    await client.hears(100);
    client.deaf = true;
    const producer = await bed.producer(bystander, "a");
    const payload = encoded("x".repeat(50_000));
    const types = new Set<string>();
    for (let i = 0; i < 200; i++) {
      const settled = producer.send(payload, { settled: false }).then(({ type }) => types.add(type));
      await Promise.race([settled, bed.settle(bystander)]);
    }
    expect(client.buffered).toBeLessThan(4_000_000);
    expect(types).toContain(kind === "router" ? "released" : "rejected");
    await expectToWork();
    client.vanish();
  });

  test(`a ${kind} accepts links of one name on several connections, and in both directions`, async () => {
    const other = await bed.connect();
    const init = { name: "same", source: { address: "s" }, target: { address: "s" } };
    await bystander.openSender(init);
    await other.openSender(init);
    const received = new Promise<string>((resolve) => {
      const onDelivery = ({ payload }: { payload: Uint8Array }): void => resolve(`${payload.length} bytes`);
      void bystander.openReceiver({ ...init, name: "other", credit: 1, onDelivery });
    });
    const producer = await bed.producer(other, "s");
    void producer.send(Uint8Array.of(1, 2, 3), { settled: true });
    expect(await received).toBe("3 bytes");
  });
});

/** Expects that a message of a well-behaved client is delivered. */
async function expectToWork(): Promise<void> {
  const { receiver, inbox } = await bed.consumer(bystander, "constructor");
  const producer = await bed.producer(bystander, "constructor");
  const sent = producer.send(textMessage("works"), { settled: false });
  expect(await inbox.nextText()).toBe("works");
  expect(await sent).toEqual(ACCEPTED);
  await Promise.all([receiver.close(), producer.close()]);
}

function encoded(text: string): Uint8Array {
  const writer = new Writer();
  encodeMessage(writer, textMessage(text));
  return writer.take();
}
