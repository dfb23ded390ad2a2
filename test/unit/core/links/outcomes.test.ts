import { describe, expect, it } from "vitest";
import { Deadlines } from "@/src/core/deadlines.js";
import type { Outcome } from "@/src/core/messages/outcome.js";
import { ACCEPTED, error, sameLink, senderWith, text } from "@/test/fixtures/beds/raw-bed.js";
import { accepted, type RawPeer, released, WINDOW } from "@/test/fixtures/peers/raw-peer.js";

describe("outcomes", () => {
  it("a disposition over a range settles each message", async () => {
    const { peer, sender } = await senderWith(10);
    const outcomes = [0, 1, 2].map((i) => sender.send(text(`m${i}`), { settled: false }));
    for (let i = 0; i < 3; i++) await peer.next("transfer");
    peer.send("disposition", { role: true, first: 0, last: 1, settled: true, state: accepted() });
    peer.send("disposition", { role: true, first: 2, last: 2 ** 31 - 1, settled: true, state: released() });
    expect(await Promise.all(outcomes)).toEqual([ACCEPTED, ACCEPTED, { type: "released" }]);
  });

  it("an unsettled disposition is answered with settled", async () => {
    const { peer, sender } = await senderWith(10);
    const outcome = sender.send(text("m"), { settled: false });
    await peer.next("transfer");
    peer.send("disposition", { role: true, first: 0, settled: false, state: accepted() });
    expect(await outcome).toEqual(ACCEPTED);
    const { fields } = await peer.next("disposition");
    expect([fields["role"], fields["first"], fields["settled"]]).toEqual([false, 0, true]);
  });

  it("a detached link ends sent messages as unknown and queued ones as unsent", async () => {
    const { peer, sender } = await senderWith(1);
    const sent = sender.send(text("sent"), { settled: false });
    const queued = sender.send(text("queued"), { settled: false });
    await peer.next("transfer");
    peer.send("detach", { handle: 0, closed: true, error: error("amqp:resource-deleted") });
    expect([(await sent).type, (await queued).type]).toEqual(["unknown", "unsent"]);
    expect(reason(await sent)).toContain("amqp:resource-deleted");
    expect((await sender.send(text("after"), { settled: false })).type).toBe("unsent");
  });

  it("a lost connection ends sent messages as unknown and queued ones as unsent", async () => {
    const { peer, sender, connection } = await senderWith(1);
    const sent = sender.send(text("sent"), { settled: false });
    const queued = sender.send(text("queued"), { settled: false });
    await peer.next("transfer");
    peer.hangUp();
    expect([(await sent).type, (await queued).type]).toEqual(["unknown", "unsent"]);
    expect((await connection.closed)?.name).toBe("ConnectionLost");
  });

  it("a message above the peer's size limit is rejected without a transfer", async () => {
    const { peer, sender } = await senderWith(10, {}, {}, { max_message_size: 100 });
    const outcome = await sender.send(text("x".repeat(200)), { settled: false });
    expect(outcome).toMatchObject({ type: "rejected", error: { condition: "amqp:link:message-size-exceeded" } });
    await sender.send(text("small"), { settled: true });
    expect((await peer.next("transfer")).fields["delivery_id"]).toBe(0);
  });

  it("a message whose deadline expires is not sent", async () => {
    const { peer, sender } = await senderWith(0);
    const deadline = new Deadlines().start({ ms: 20, expired: (phase) => new Error(`over in phase ${phase}`) });
    await expect(sender.send(text("late"), { settled: false, deadline })).rejects.toThrow("over in phase credit");
    expect(sender.queued).toBe(0);
    void sender.send(text("next"), { settled: true });
    peer.send("flow", { ...WINDOW, handle: 0, delivery_count: 0, link_credit: 5 });
    expect(Buffer.from((await peer.next("transfer")).payload ?? []).toString()).toContain("next");
  });

  it("a link without credit delays no other link", async () => {
    const { peer, connection, sender: dead } = await senderWith(0);
    const waiting = Array.from({ length: 1000 }, () => dead.send(text("dead"), { settled: false }));
    const opening = connection.openSender({ name: "live", source: {}, target: { address: "live" } });
    const { fields } = await peer.next("attach");
    peer.send("attach", { ...sameLink(fields), handle: 1, role: true });
    peer.send("flow", { ...WINDOW, handle: 1, delivery_count: 0, link_credit: 10 });
    const live = await opening;
    expect(await live.send(text("live"), { settled: true })).toEqual(ACCEPTED);
    expect(dead.queued).toBe(1000);
    peer.hangUp();
    expect(new Set((await Promise.all(waiting)).map(({ type }) => type))).toEqual(new Set(["unsent"]));
  });
});

describe("a message of several frames", () => {
  const LARGE = text("0123456789".repeat(300));
  const OPEN = { max_frame_size: 512 };

  it("a message in part is aborted at its deadline, and the next one is sent", async () => {
    const { peer, sender } = await senderWith(10, OPEN, { incoming_window: 2 });
    const deadline = new Deadlines().start({ ms: 30, expired: (phase) => new Error(`over in phase ${phase}`) });
    const late = sender.send(LARGE, { settled: false, deadline });
    const next = sender.send(text("next"), { settled: true });
    await expect(late).rejects.toThrow("over in phase credit");
    for (let i = 0; i < 2; i++) expect((await peer.next("transfer")).fields["more"]).toBe(true);
    peer.send("flow", { ...WINDOW, next_incoming_id: 2, incoming_window: 10 });
    const { fields, payload } = await peer.next("transfer");
    expect([fields["delivery_id"], fields["aborted"], payload]).toEqual([0, true, undefined]);
    expect((await peer.next("transfer")).fields["delivery_id"]).toBe(1);
    expect(await next).toEqual(ACCEPTED);
  });

  it("a message in part is aborted when the peer settles it early", async () => {
    const { peer, sender } = await senderWith(10, OPEN, { incoming_window: 1 });
    const deadlines = new Deadlines();
    const deadline = deadlines.start({ ms: 10_000, expired: (phase) => new Error(`over in phase ${phase}`) });
    const outcome = sender.send(LARGE, { settled: false, deadline });
    await peer.next("transfer");
    peer.send("disposition", { role: true, first: 0, settled: true, state: released() });
    expect(await outcome).toEqual({ type: "released" });
    // The same deadline limits the next wait.
    const reply = new Promise((_, reject) => deadline.beginWait("reply", reject));
    peer.send("flow", { ...WINDOW, next_incoming_id: 1, incoming_window: 10 });
    expect((await peer.next("transfer")).fields["aborted"]).toBe(true);
    deadline.expire();
    await expect(reply).rejects.toThrow("over in phase reply");
  });

  it.each([false, true])(
    "a message in part is unsent when link, session or connection is lost; settled: %s",
    async (settled) => {
      for (const end of [
        (peer: RawPeer) => peer.send("detach", { handle: 0, closed: true }),
        (peer: RawPeer) => peer.send("end", {}),
        (peer: RawPeer) => peer.hangUp(),
      ]) {
        const { peer, sender } = await senderWith(10, OPEN, { incoming_window: 2 });
        const outcome = sender.send(LARGE, { settled });
        await peer.next("transfer");
        end(peer);
        expect((await outcome).type).toBe("unsent");
      }
    },
  );

  it("a message in part is unsent when its link is closed locally", async () => {
    const { peer, sender } = await senderWith(10, OPEN, { incoming_window: 2 });
    const outcome = sender.send(LARGE, { settled: true });
    void sender.close();
    expect((await outcome).type).toBe("unsent");
    await peer.next("detach", ["transfer"]);
    peer.send("flow", { ...WINDOW, next_incoming_id: 2, incoming_window: 10, echo: true });
    expect((await peer.any()).name).toBe("flow");
  });

  it("frames have at most 64 KiB, even if the peer allows more", async () => {
    const { peer, sender } = await senderWith(10);
    void sender.send(new Uint8Array(150_000), { settled: true });
    for (let frames = 0; frames < 3; frames++) {
      const { size, fields } = await peer.next("transfer");
      expect(size).toBeLessThanOrEqual(65_536);
      expect(fields["more"] ?? false).toBe(frames < 2);
    }
  });
});

describe("a disposition", () => {
  it("a disposition over a long range takes time for its unsettled messages only", async () => {
    const { peer, sender } = await senderWith(10);
    const outcomes = [0, 1].map(() => sender.send(text("m"), { settled: false }));
    for (let i = 0; i < 2; i++) await peer.next("transfer");
    const startedMs = performance.now();
    for (let i = 0; i < 1_000; i++) {
      const first = 1_000 + i;
      peer.send("disposition", { role: true, first, last: first + 2 ** 31 - 2, settled: true, state: accepted() });
    }
    peer.send("disposition", { role: true, first: 2 ** 32 - 5, last: 1, settled: true, state: accepted() });
    expect(await Promise.all(outcomes)).toEqual([ACCEPTED, ACCEPTED]);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });

  it("a disposition that settles without an outcome leaves it unknown, and an empty one changes nothing", async () => {
    const { peer, sender } = await senderWith(10);
    const outcome = sender.send(text("m"), { settled: false });
    await peer.next("transfer");
    peer.send("disposition", { role: true, first: 0, settled: false });
    peer.send("disposition", { role: true, first: 0, settled: true });
    expect(reason(await outcome)).toContain("settled without an outcome");
  });

  it("a disposition after the deadline of its message is ignored", async () => {
    const { peer, sender, connection } = await senderWith(10);
    const deadline = new Deadlines().start({ ms: 20, expired: (phase) => new Error(`over in phase ${phase}`) });
    await expect(sender.send(text("m"), { settled: false, deadline })).rejects.toThrow("phase acknowledgement");
    await peer.next("transfer");
    peer.send("disposition", { role: true, first: 0, settled: true, state: accepted() });
    const next = sender.send(text("m"), { settled: false });
    await peer.next("transfer");
    peer.send("disposition", { role: true, first: 1, settled: true, state: accepted() });
    expect(await next).toEqual(ACCEPTED);
    expect(connection.isOpen).toBe(true);
  });
});

function reason(outcome: Outcome): string {
  return outcome.type === "unknown" || outcome.type === "unsent" ? outcome.error.message : "";
}
