import { describe, expect, it } from "vitest";
import type { Delivery } from "@/src/core/links/delivery.js";
import { decodeMessage, type Message } from "@/src/core/messages/message.js";
import { encoded, encodedMessage, receiverWith, sameLink, text, transfer } from "@/test/fixtures/beds/raw-bed.js";
import { stateCode } from "@/test/fixtures/peers/raw-peer.js";

describe("deliveries", () => {
  it("a message is assembled from its frames, and an aborted one is discarded", async () => {
    const { peer, delivered } = await receiverWith(10);
    const whole = encoded("one two three");
    peer.send("transfer", transfer(0, { more: true }), { payload: encoded("half") });
    peer.send("transfer", { handle: 0, aborted: true });
    peer.send("transfer", transfer(1, { more: true }), { payload: whole.subarray(0, 5) });
    peer.send("transfer", { handle: 0, more: true }, { payload: whole.subarray(5, 6) });
    peer.send("transfer", { handle: 0 }, { payload: whole.subarray(6) });
    const [delivery] = await delivered(1);
    expect(delivery?.message.body).toEqual({ type: "value", value: "one two three" });
    expect(delivery?.id).toBe(1);
  });

  it("each of several deliveries that are settled in one turn gets its own outcome", async () => {
    const { peer, delivered } = await receiverWith(10);
    for (let id = 0; id < 5; id++) peer.send("transfer", transfer(id), { payload: encoded("m") });
    const [a, b, c, d, e] = await delivered(5);
    a?.accept();
    b?.accept();
    c?.release();
    d?.reject({ condition: "amqp:not-allowed", description: "no" });
    e?.modify({ deliveryFailed: true, undeliverableHere: true });
    const said = [];
    for (let i = 0; i < 4; i++) {
      const { fields } = await peer.next("disposition");
      said.push([fields["first"], fields["last"], stateCode(fields["state"])]);
    }
    expect(said).toEqual([
      [0, 1, 0x24],
      [2, 2, 0x26],
      [3, 3, 0x25],
      [4, 4, 0x27],
    ]);
  });

  it("a message above the size limit is rejected, and the next one is delivered", async () => {
    const { peer, delivered } = await receiverWith(10, {}, {}, { maxMessageBytes: 100 });
    const large = encoded("x".repeat(60));
    peer.send("transfer", transfer(0, { more: true }), { payload: large });
    peer.send("transfer", { handle: 0 }, { payload: large });
    const { fields } = await peer.next("disposition");
    expect(JSON.stringify(fields)).toContain("message-size-exceeded");
    peer.send("transfer", transfer(1), { payload: encoded("small") });
    expect((await delivered(1)).map(({ id }) => id)).toEqual([1]);
  });

  it.each([1, 3])(
    "a receiver is given both ends of a message above the size limit that arrives in %i frame(s)",
    async (frames) => {
      const tooLarge: { head: Message; tail: string; reason: string }[] = [];
      const onTooLarge = (ends: Uint8Array, reason: string): void => {
        tooLarge.push({ head: decodeMessage(ends, true), tail: Buffer.from(ends.slice(-4_000)).toString(), reason });
      };
      const { peer } = await receiverWith(10, {}, {}, {}, { onTooLarge, maxMessageBytes: 20_000 });
      const payload = encodedMessage({ correlationId: "id", ...text(`${"x".repeat(30_000)}${"y".repeat(4_000)}`) });
      for (let frame = 0; frame < frames; frame++) {
        const more = frame < frames - 1;
        const piece = payload.subarray((frame * payload.length) / frames, ((frame + 1) * payload.length) / frames);
        peer.send("transfer", frame === 0 ? transfer(0, { more }) : { handle: 0, more }, { payload: piece });
      }
      await peer.next("disposition");
      expect(tooLarge).toMatchObject([
        {
          head: { correlationId: "id", body: undefined },
          tail: "y".repeat(4_000),
          reason: `message of ${payload.length} bytes exceeds the limit of 20000 bytes`,
        },
      ]);
    },
  );

  it("a peer with too many incomplete bytes loses its connection", async () => {
    const { peer, connection } = await receiverWith(10, {}, {}, { maxMessageBytes: 20_000 });
    expect(connection.isOpen).toBe(true);
    const opening: Promise<unknown>[] = [];
    for (let handle = 1; handle <= 5; handle++) {
      const init = { name: `r${handle}`, source: { address: "q" }, target: {}, credit: 1, onDelivery() {} };
      opening.push(connection.openReceiver(init));
      const { fields } = await peer.next("attach", ["flow"]);
      const { name, source, target } = fields;
      peer.send("attach", { name, handle, role: false, source, target, initial_delivery_count: 0 });
    }
    await Promise.all(opening);
    const payload = new Uint8Array(18_000);
    for (let handle = 0; handle <= 5; handle++) {
      peer.send("transfer", transfer(handle, { handle, more: true }), { payload });
    }
    expect((await connection.closed)?.message).toContain("incomplete deliveries");
  });

  it("interleaved deliveries are assembled per link, and settled if any frame says so", async () => {
    const { peer, connection, deliveries, delivered } = await receiverWith(10);
    const others: Delivery[] = [];
    const opening = connection.openReceiver({
      name: "r2",
      source: {},
      target: {},
      credit: 10,
      onDelivery: (delivery) => void others.push(delivery),
    });
    const attach = await peer.next("attach");
    peer.send("attach", { ...sameLink(attach.fields), handle: 1, role: false, initial_delivery_count: 0 });
    await opening;
    await peer.next("flow");
    const [first, second] = [encoded("first"), encoded("second")];
    peer.send("transfer", transfer(0, { more: true }), { payload: first.subarray(0, 4) });
    peer.send("transfer", transfer(1, { handle: 1, more: true, settled: true }), { payload: second.subarray(0, 7) });
    peer.send("transfer", { handle: 0, more: true });
    peer.send("transfer", { handle: 1 }, { payload: second.subarray(7) });
    peer.send("transfer", { handle: 0, settled: true }, { payload: first.subarray(4) });
    await delivered(1);
    expect([...deliveries, ...others].map(({ id, settled, message }) => [id, settled, message.body])).toEqual([
      [0, true, { type: "value", value: "first" }],
      [1, true, { type: "value", value: "second" }],
    ]);
  });

  it("an aborted delivery returns its credit, in its first frame or later", async () => {
    const { peer, receiver, deliveries } = await receiverWith(2);
    peer.send("transfer", transfer(0, { aborted: true }), { payload: encoded("m") });
    peer.send("transfer", transfer(1, { more: true }), { payload: encoded("m") });
    peer.send("transfer", { handle: 0, aborted: true, more: true });
    const { fields } = await peer.next("flow");
    expect([fields["delivery_count"], fields["link_credit"]]).toEqual([2, 2]);
    expect([receiver.unsettled, deliveries.length]).toEqual([0, 0]);
  });

  it("a delivery that begins before the last one is complete ends the connection", async () => {
    const { peer, connection } = await receiverWith(10);
    peer.send("transfer", transfer(0, { more: true }), { payload: encoded("m") });
    peer.send("transfer", transfer(1), { payload: encoded("m") });
    expect((await connection.closed)?.message).toContain("delivery 1 began on link r before 0 was complete");
  });

  it("incomplete deliveries are freed with their link, also when they arrive after its close", async () => {
    const { peer, connection } = await receiverWith(10, {}, {}, { maxMessageBytes: 20_000 });
    for (let round = 0; round < 10; round++) {
      const opening = connection.openReceiver({ name: `${round}`, source: {}, target: {}, credit: 5, onDelivery() {} });
      const attach = await peer.next("attach");
      peer.send("attach", { ...sameLink(attach.fields), handle: 1, role: false, initial_delivery_count: 0 });
      const receiver = await opening;
      await peer.next("flow");
      const closing = receiver.close();
      await peer.next("detach");
      peer.send("transfer", transfer(round, { handle: 1, more: true }), { payload: new Uint8Array(15_000) });
      peer.send("detach", { handle: 1, closed: true });
      await closing;
    }
    expect(connection.isOpen).toBe(true);
  });

  it("a long rejection is truncated to a frame of 512 bytes", async () => {
    const { peer, delivered } = await receiverWith(10);
    peer.send("transfer", transfer(0), { payload: encoded("m") });
    const [delivery] = await delivered(1);
    delivery?.reject({ condition: `é${"x".repeat(5_000)}`, description: "ü".repeat(5_000) });
    const { size, fields } = await peer.next("disposition");
    expect(size).toBeLessThanOrEqual(512);
    expect(JSON.stringify(fields)).toMatch(/"\?x+".*"ü+…"/);
  });
});
