import { describe, expect, it } from "vitest";
import { ACCEPTED, encoded, receiverWith, senderWith, text, transfer } from "@/test/fixtures/beds/raw-bed.js";
import { WINDOW } from "@/test/fixtures/peers/raw-peer.js";
import { turn } from "@/test/fixtures/stages/turn.js";

describe("credit", () => {
  it("a sender sends as many messages as it has credit, and the next ones in order with more", async () => {
    const { peer, sender } = await senderWith(2);
    const outcomes = Array.from({ length: 5 }, (_, i) => sender.send(text(`m${i}`), { settled: true }));
    await peer.next("transfer");
    const second = await peer.next("transfer");
    expect([sender.credit, sender.queued]).toEqual([0, 3]);
    expect(second.fields["delivery_id"]).toBe(1);
    peer.send("flow", { ...WINDOW, next_incoming_id: 2, handle: 0, delivery_count: 2, link_credit: 3 });
    for (const id of [2, 3, 4]) expect((await peer.next("transfer")).fields["delivery_id"]).toBe(id);
    expect(await Promise.all(outcomes)).toEqual(Array(5).fill(ACCEPTED));
  });

  it("messages in transit count against a grant that was sent before they arrived", async () => {
    const { peer, sender } = await senderWith(3);
    for (let i = 0; i < 3; i++) void sender.send(text("m"), { settled: true });
    for (let i = 0; i < 3; i++) await peer.next("transfer");
    const waiting = sender.send(text("late"), { settled: true });
    // Granted by a peer that had seen one of the three: two of its three are used up already.
    peer.send("flow", { ...WINDOW, next_incoming_id: 1, handle: 0, delivery_count: 1, link_credit: 3 });
    await peer.next("transfer");
    await waiting;
    expect(sender.credit).toBe(0);
  });

  it("a sender returns unused credit when the peer drains", async () => {
    const { peer, sender } = await senderWith(10);
    await sender.send(text("m"), { settled: true });
    await peer.next("transfer");
    peer.send("flow", { ...WINDOW, next_incoming_id: 1, handle: 0, delivery_count: 1, link_credit: 9, drain: true });
    const { fields } = await peer.next("flow");
    expect([fields["delivery_count"], fields["link_credit"], fields["drain"]]).toEqual([10, 0, true]);
    expect(sender.credit).toBe(0);
  });

  it("an echo is answered for a link and for a session", async () => {
    const { peer } = await senderWith(10);
    peer.send("flow", { ...WINDOW, handle: 0, delivery_count: 0, link_credit: 7, echo: true });
    expect((await peer.next("flow")).fields["link_credit"]).toBe(7);
    peer.send("flow", { ...WINDOW, echo: true });
    expect((await peer.next("flow")).fields["handle"]).toBeFalsy();
  });

  it("a receiver returns credit when deliveries are settled, not when they arrive", async () => {
    const { peer, flow, delivered } = await receiverWith(4);
    expect(flow.fields["link_credit"]).toBe(4);
    for (let id = 0; id < 4; id++) peer.send("transfer", transfer(id), { payload: encoded("m") });
    const deliveries = await delivered(4);
    for (const delivery of deliveries.slice(0, 3)) delivery.accept();
    const disposition = await peer.next("disposition");
    expect([disposition.fields["first"], disposition.fields["last"]]).toEqual([0, 2]);
    const returned = await peer.next("flow");
    expect([returned.fields["delivery_count"], returned.fields["link_credit"]]).toEqual([4, 3]);
  });

  it.each([
    { window: 1, settled: 1 },
    { window: 2, settled: 1 },
    { window: 3, settled: 1 },
    { window: 10, settled: 5 },
    { window: 100, settled: 50 },
  ])(
    "a credit of $window is returned when at most half of it plus one is left, as in oslo",
    async ({ window, settled }) => {
      const { peer, delivered } = await receiverWith(window);
      for (let id = 0; id < settled; id++) peer.send("transfer", transfer(id), { payload: encoded("m") });
      for (const delivery of await delivered(settled)) delivery.accept();
      await peer.next("disposition");
      expect((await peer.next("flow")).fields["link_credit"]).toBe(window);
    },
  );

  it("a partial delivery counts as unsettled", async () => {
    const { peer, delivered } = await receiverWith(2);
    peer.send("transfer", transfer(0), { payload: encoded("m") });
    peer.send("transfer", transfer(1, { more: true }), { payload: encoded("m") });
    const [first] = await delivered(1);
    await turn();
    first?.accept();
    const { fields } = await peer.next("flow", ["disposition"]);
    expect([fields["delivery_count"], fields["link_credit"]]).toEqual([2, 1]);
  });

  it("a receiver whose credit is used up grants the rest of its window, though no delivery is settled at that time", async () => {
    const { peer, delivered } = await receiverWith(4);
    peer.send("transfer", transfer(0), { payload: encoded("m") });
    (await delivered(1))[0]?.accept(); // three of four are left: no credit is returned yet
    for (let id = 1; id < 4; id++) peer.send("transfer", transfer(id), { payload: encoded("m") });
    const { fields } = await peer.next("flow", ["disposition"]);
    expect([fields["delivery_count"], fields["link_credit"]]).toEqual([4, 1]);
    peer.send("transfer", transfer(4), { payload: encoded("m") });
    expect(await delivered(5)).toHaveLength(5);
  });

  it("drain withdraws a receiver's credit, and resolves when the peer has returned it", async () => {
    const { peer, receiver, delivered } = await receiverWith(10);
    peer.send("transfer", transfer(0, { settled: true }), { payload: encoded("m") });
    await delivered(1);
    const drained = receiver.drain();
    expect((await peer.next("flow")).fields["drain"]).toBe(true);
    peer.send("flow", { ...WINDOW, handle: 0, delivery_count: 10, link_credit: 0, drain: true });
    await drained;
    expect(receiver.credit).toBe(0);
  });

  it("a peer that sends without credit loses its connection", async () => {
    const { peer, connection } = await receiverWith(1);
    for (let id = 0; id < 2; id++) peer.send("transfer", transfer(id), { payload: encoded("m") });
    const close = await peer.next("close", ["disposition", "flow"]);
    expect(JSON.stringify(close.fields)).toContain("amqp:link:transfer-limit-exceeded");
    expect((await connection.closed)?.message).toContain("without credit");
  });

  it("a drain returns unused credit while a message is sent in part", async () => {
    const { peer, sender } = await senderWith(10, { max_frame_size: 512 }, { incoming_window: 1 });
    void sender.send(text("x".repeat(2_000)), { settled: true });
    await peer.next("transfer");
    peer.send("flow", { ...WINDOW, incoming_window: 1, handle: 0, delivery_count: 0, link_credit: 10, drain: true });
    const { fields } = await peer.next("flow");
    expect([fields["delivery_count"], fields["link_credit"]]).toEqual([10, 0]);
    peer.send("flow", { ...WINDOW, next_incoming_id: 1 });
    expect((await peer.next("transfer")).fields["delivery_id"]).toBe(0);
  });

  it("a sender counts credit beyond 2^32", async () => {
    const { peer, sender } = await senderWith(2 ** 32 - 1);
    await sender.send(text("m"), { settled: true });
    peer.send("flow", { ...WINDOW, handle: 0, delivery_count: 1, link_credit: 2 ** 32 - 2, drain: true });
    expect((await peer.next("flow", ["transfer"])).fields["delivery_count"]).toBe(2 ** 32 - 1);
    peer.send("flow", { ...WINDOW, handle: 0, delivery_count: 2 ** 32 - 1, link_credit: 3 });
    const sent = [1, 2, 3, 4].map(() => sender.send(text("m"), { settled: true }));
    await Promise.all(sent.slice(0, 3));
    expect([sender.credit, sender.queued]).toEqual([0, 1]);
    peer.send("flow", { ...WINDOW, handle: 0, delivery_count: 2, link_credit: 1 });
    await sent[3];
    expect(sender.credit).toBe(0);
  });

  it("no flow in answer to a drain or echo requests another one", async () => {
    const { peer, receiver } = await receiverWith(4);
    peer.send("flow", {
      ...WINDOW,
      handle: 0,
      delivery_count: 0,
      link_credit: 4,
      available: 0,
      drain: true,
      echo: true,
    });
    const answer = await peer.next("flow");
    expect([answer.fields["echo"], answer.fields["drain"]].map(Boolean)).toEqual([false, false]);
    const drained = receiver.drain();
    expect((await peer.next("flow")).fields["echo"] ?? false).toBe(false);
    peer.send("flow", { ...WINDOW, handle: 0, delivery_count: 4, link_credit: 0, drain: true });
    await drained;
    peer.send("flow", { ...WINDOW, echo: true });
    expect((await peer.any()).fields["handle"] ?? undefined).toBeUndefined(); // and none for the link before it
  });

  it("credit that is granted during a drain is drained too", async () => {
    const { peer, receiver } = await receiverWith(4);
    const drained = receiver.drain();
    await peer.next("flow");
    receiver.grant(3);
    expect((await peer.next("flow")).fields["link_credit"]).toBe(7);
    peer.send("flow", { ...WINDOW, handle: 0, delivery_count: 4, link_credit: 0, drain: true });
    peer.send("flow", { ...WINDOW, handle: 0, delivery_count: 7, link_credit: 0, drain: true });
    await drained;
    expect(receiver.credit).toBe(0);
  });

  it("credit of a draining flow is used by waiting messages first", async () => {
    let waiting = 0;
    const { peer, sender } = await senderWith(
      0,
      {},
      {},
      {},
      {
        onCredit() {
          for (; waiting > 0 && sender.credit > 0; waiting--) void sender.send(text("m"), { settled: true });
        },
      },
    );
    waiting = 2;
    peer.send("flow", { ...WINDOW, handle: 0, delivery_count: 0, link_credit: 5, drain: true });
    await peer.next("transfer");
    await peer.next("transfer");
    const { fields } = await peer.next("flow");
    expect([fields["delivery_count"], fields["link_credit"]]).toEqual([5, 0]);
  });
});
