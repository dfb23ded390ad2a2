import { describe, expect, it } from "vitest";
import { RecurringWarnings } from "@/src/core/recurring-warnings.js";
import { LinkConnection } from "@/src/driver/rabbit/amqp10/link-connection.js";
import type { ConsumeInit, QueueDelivery } from "@/src/driver/rabbit/broker-connection.js";
import { begun, encodedMessage, opened, transfer } from "@/test/fixtures/beds/raw-bed.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { failureOf } from "@/test/fixtures/peers/driver-peer.js";
import { stateCode, WINDOW } from "@/test/fixtures/peers/raw-peer.js";
import { answer, endSession } from "@/test/fixtures/peers/raw-rabbit.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

const MAX_BYTES = 70_000;
const FRAME_BYTES = 50_000;
const ACCEPTED = 0x24;
const REJECTED = 0x25;
const MODIFIED = 0x27;

async function bed() {
  const logger = new RecordingLogger();
  const warnings = new RecurringWarnings(logger);
  const { peer, connection } = await opened({}, { warnings });
  const init = { connection, host: "raw:5672", virtualHost: "/", maxMessageBytes: MAX_BYTES, logger, warnings };
  const link = new LinkConnection(init);
  const consumers = await link.openConsumers(5);
  const deliveries = new Inbox<QueueDelivery>("the deliveries");
  const refused: { message: string; tail: string }[] = [];
  const cancelled = new Inbox<{ queue: string; reason: string | undefined }>("the cancelled consumers");
  const consumer = (queue: string): ConsumeInit => ({
    queue,
    consumerTag: queue,
    arguments: {},
    onDelivery: (delivery) => deliveries.put(delivery),
    onRefused: ({ message }, tail) => void refused.push({ message, tail: Buffer.from(tail).toString() }),
    onCancel: (reason) => cancelled.put({ queue, reason: reason?.message }),
  });
  const next = () => deliveries.take("a delivery", (delivery) => delivery);
  return { peer, link, consumers, consumer, next, refused, cancelled, logger };
}

/** A bed that consumes the queue `a/b`. */
async function consuming() {
  const opening = await bed();
  const { peer, consumers, consumer } = opening;
  const started = consumers.consume(consumer("a/b"));
  await begun(peer);
  const attach = await peer.next("attach");
  answer(peer, attach, { initial_delivery_count: 0 });
  const flow = await peer.next("flow");
  await started;
  const { channel } = attach;
  let id = 0;
  const deliver = (body: string | Uint8Array): void => {
    const payload =
      typeof body === "string" ? encodedMessage({ body: { type: "data", bytes: Buffer.from(body) } }) : body;
    for (let at = 0; at < payload.length; at += FRAME_BYTES) {
      const end = at + FRAME_BYTES;
      peer.send("transfer", transfer(id, { more: end < payload.length }), {
        channel,
        payload: payload.subarray(at, end),
      });
    }
    id++;
  };
  const settled = async () => (await peer.next("disposition", ["flow"])).fields;
  return { ...opening, attach, flow, channel, deliver, settled };
}

describe("consumers at RabbitMQ 4", () => {
  it("are receiving links on their queues, whose credit is the prefetch count and which state no limit of a message", async () => {
    const { attach, flow } = await consuming();
    expect(JSON.stringify(attach.fields["source"])).toContain("/queues/a%2Fb");
    expect(attach.fields).toMatchObject({ role: true, max_message_size: 0 });
    expect(flow.fields).toMatchObject({ link_credit: 5 });
  });

  it("a delivery is accepted, rejected, or given back as a failed one, which counts for a delivery limit", async () => {
    const { deliver, next, settled } = await consuming();
    const states = [];
    for (const settle of ["ack", "reject", "requeue"] as const) {
      deliver("m");
      const delivery = await next();
      if (settle === "ack") delivery.ack();
      else delivery.reject(settle === "requeue");
      states.push((await settled())["state"]);
    }
    expect(states.map(stateCode)).toEqual([ACCEPTED, REJECTED, MODIFIED]);
    expect(JSON.stringify(states[2])).toContain("true");
  });

  it.each([
    ["by a byte", MAX_BYTES + 1],
    ["beyond the limit of the link", 3 * MAX_BYTES],
  ])("a body that is too large (%s) is rejected, and its end is passed on", async (_how, size) => {
    const { deliver, settled, refused, next, logger } = await consuming();
    deliver(`${"x".repeat(size - 3)}end`);
    expect(stateCode((await settled())["state"])).toBe(REJECTED);
    expect(refused).toEqual([
      {
        message: expect.stringMatching(/^message of \d+ bytes exceeds the limit of \d+ bytes/),
        tail: `${"x".repeat(509)}end`,
      },
    ]);
    expect(logger.of("warn").length).toBe(1);
    deliver("next");
    expect(Buffer.from((await next()).body).toString()).toBe("next");
  });

  it("the largest body is delivered", async () => {
    const { deliver, next } = await consuming();
    deliver("x".repeat(MAX_BYTES));
    expect((await next()).body.length).toBe(MAX_BYTES);
  });

  it("a message that cannot be read is rejected, with a warning", async () => {
    const { deliver, settled, refused, logger } = await consuming();
    deliver(Uint8Array.of(0, 0x53, 0x99));
    expect(stateCode((await settled())["state"])).toBe(REJECTED);
    expect(refused.length).toBe(1);
    expect(logger.of("warn")).toEqual([expect.stringMatching(/^rejected a message from queue a\/b: /)]);
  });

  it("a consumer whose queue is deleted is cancelled, and can be started again; its deliveries are lost", async () => {
    const { peer, consumers, consumer, channel, cancelled, deliver, next } = await consuming();
    deliver("m");
    const delivery = await next();
    peer.send("detach", { handle: 0, closed: true, error: { condition: "amqp:resource-deleted" } }, { channel });
    expect(await cancelled.take("the cancel", (cancel) => cancel)).toEqual({ queue: "a/b", reason: undefined });
    expect([delivery.isLost, consumers.isOpen]).toEqual([true, true]);
    await peer.next("detach");
    const again = consumers.consume(consumer("a/b"));
    answer(peer, await peer.next("attach"), { initial_delivery_count: 0 });
    await again;
  });

  it("a consumer whose session ends is cancelled with the reason", async () => {
    const { peer, channel, cancelled } = await consuming();
    endSession(peer, channel, "amqp:unauthorized-access", "read access to queue 'b' refused");
    const reason = "amqp:unauthorized-access: read access to queue 'b' refused";
    expect(await cancelled.take("the cancel", (cancel) => cancel)).toEqual({ queue: "a/b", reason });
  });

  it("a refused consumer is a refusal with a code", async () => {
    const { peer, consumers, consumer } = await bed();
    const failed = failureOf(consumers.consume(consumer("q")));
    await begun(peer);
    const { channel } = await peer.next("attach");
    endSession(peer, channel, "amqp:unauthorized-access", "read access to queue 'q' refused");
    expect(await failed).toMatchObject({ code: 403, text: "read access to queue 'q' refused" });
  });

  it("the refused consumer of another listener, by which the session ends, is no refusal", async () => {
    const { peer, consumers, consumer } = await bed();
    const failed = failureOf(consumers.consume(consumer("q")));
    await begun(peer);
    const { channel } = await peer.next("attach");
    endSession(peer, channel, "amqp:unauthorized-access", "read access to queue 'other' refused");
    expect(await failed).toMatchObject({ name: "ConnectionLost", message: expect.stringContaining("queue 'other'") });
  });

  it("a cancelled consumer withdraws its credit; what arrives meanwhile is delivered", async () => {
    const { peer, consumers, channel, deliver, next } = await consuming();
    const cancelling = consumers.cancel("a/b");
    const flow = await peer.next("flow");
    expect(flow.fields).toMatchObject({ drain: true });
    deliver("last");
    peer.send("flow", { ...WINDOW, handle: 0, delivery_count: 5, link_credit: 0, drain: true }, { channel });
    await cancelling;
    (await next()).ack();
    expect(stateCode((await peer.next("disposition", ["flow"])).fields["state"])).toBe(ACCEPTED);
  });

  it("closing detaches the links, and no consumer is cancelled", async () => {
    const { peer, consumers, channel, cancelled } = await consuming();
    const closing = consumers.close();
    await peer.next("detach");
    peer.send("detach", { handle: 0, closed: true }, { channel });
    await closing;
    expect(await consumers.closed).toBeUndefined();
    expect(consumers.isOpen).toBe(false);
    expect(cancelled.unread).toEqual([]);
  });

  it("those of each listener have a session, and the next listener has one that is not used any more", async () => {
    const { peer, link, consumers, consumer, channel } = await consuming();
    const others = await link.openConsumers(5);
    const started = others.consume(consumer("b"));
    await begun(peer);
    const attach = await peer.next("attach", ["flow"]);
    expect(attach.channel).not.toBe(channel);
    answer(peer, attach, { initial_delivery_count: 0 });
    await started;
    const closing = consumers.close();
    await peer.next("detach", ["flow"]);
    peer.send("detach", { handle: 0, closed: true }, { channel });
    await closing;
    const again = (await link.openConsumers(5)).consume(consumer("a/b"));
    const second = await peer.next("attach", ["flow"]);
    expect(second.channel).toBe(channel);
    answer(peer, second, { initial_delivery_count: 0 });
    await again;
  });

  it("the end of the connection closes them, with its cause", async () => {
    const { peer, consumers, cancelled } = await consuming();
    peer.hangUp();
    expect(await consumers.closed).toMatchObject({ name: "ConnectionLost" });
    expect(cancelled.unread).toEqual([]);
  });
});
