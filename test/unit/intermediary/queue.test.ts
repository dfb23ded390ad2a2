import { describe, expect, test, vi } from "vitest";
import { encodeMessage } from "@/src/core/messages/message.js";
import { ACCEPTED, type Outcome, RELEASED } from "@/src/core/messages/outcome.js";
import { Writer } from "@/src/core/types/writer.js";
import { Queue } from "@/src/intermediary/queue.js";
import { FakeConsumer, FakeProducer, nodeInit } from "@/test/fixtures/fakes/fake-links.js";

const REFUSED: Outcome = { type: "modified", deliveryFailed: false, undeliverableHere: true };
const FAILED: Outcome = { type: "modified", deliveryFailed: true, undeliverableHere: false };

describe("storing", () => {
  test("a queue accepts messages without a consumer, and delivers them in order once there is one", () => {
    const queue = new Queue(nodeInit());
    const producer = new FakeProducer(queue);
    expect(producer.credit).toBeGreaterThan(100);
    const messages = ["a", "b", "c"].map((text) => producer.send(text));
    expect(messages.map(({ state }) => state)).toEqual([ACCEPTED, ACCEPTED, ACCEPTED]);
    const consumer = new FakeConsumer(queue, 2);
    expect(consumer.texts).toEqual(["a", "b"]);
    consumer.give(1);
    expect(consumer.texts).toEqual(["a", "b", "c"]);
  });

  test("a queue rejects messages over the limits, and logs it once", async () => {
    const init = nodeInit({ messages: 4 });
    const queue = new Queue(init);
    const producer = new FakeProducer(queue);
    const states = [1, 2, 3, 4].map((n) => producer.send(String(n)).state);
    expect(states.slice(0, 2)).toEqual([ACCEPTED, ACCEPTED]);
    for (const state of states.slice(2)) {
      expect(state).toMatchObject({ type: "rejected", error: { condition: "amqp:resource-limit-exceeded" } });
    }
    expect(init.logger.lines).toEqual(['"some/address" is full: it holds 2 messages']);
    const consumer = new FakeConsumer(queue, 1);
    await consumer.answer(0, ACCEPTED);
    expect(producer.send("5").state).toEqual(ACCEPTED);
    producer.send("6");
    expect(init.logger.lines).toHaveLength(1);
  });

  test("a queue sends unsettled, except to a consumer that asked for settled messages", () => {
    const queue = new Queue(nodeInit());
    const mixed = new FakeConsumer(queue, 1);
    new FakeProducer(queue).send("a", true);
    const presettled = new FakeConsumer(queue, 1, "settled");
    new FakeProducer(queue).send("b");
    expect(mixed.received[0]?.settled).toBe(false);
    expect(presettled.received[0]?.settled).toBe(true);
  });
});

describe("the outcome of a queued message", () => {
  test("a queue removes a message that a consumer accepts", async () => {
    const init = nodeInit();
    const queue = new Queue(init);
    const consumer = new FakeConsumer(queue, 10);
    new FakeProducer(queue).send("a");
    expect(init.budget.messages).toBe(1);
    await consumer.answer(0, ACCEPTED);
    expect(init.budget.messages).toBe(0);
    expect(consumer.received).toHaveLength(1);
  });

  test.each<[string, Outcome]>([
    ["is released", RELEASED],
    ["is modified", FAILED],
    ["is unsettled when its link is lost", { type: "unknown", error: new Error("gone") }],
    ["was unsent when its link is lost", { type: "unsent", error: new Error("gone") }],
  ])("a queue delivers a message that %s again, before newer ones", async (_, outcome) => {
    const queue = new Queue(nodeInit());
    const consumer = new FakeConsumer(queue, 1);
    const producer = new FakeProducer(queue);
    producer.send("a");
    producer.send("b");
    await consumer.answer(0, outcome);
    const other = new FakeConsumer(queue, 2);
    expect(other.texts).toEqual(["a", "b"]);
  });

  test("a queue drops a message that a consumer rejects, and logs it", async () => {
    const init = nodeInit();
    const queue = new Queue(init);
    const consumer = new FakeConsumer(queue, 10);
    new FakeProducer(queue).send("a");
    await consumer.answer(0, { type: "rejected", error: { condition: "my:error" } });
    expect(init.budget.messages).toBe(0);
    expect(init.logger.lines).toEqual([
      'dropped a message of 1 bytes from "some/address": a consumer rejected it, "my:error"',
    ]);
  });

  test("a message that is undeliverable here goes to another consumer, never to the same one", async () => {
    const queue = new Queue(nodeInit());
    const producer = new FakeProducer(queue);
    const first = new FakeConsumer(queue, 10);
    producer.send("a");
    await first.answer(0, REFUSED);
    producer.send("b");
    expect(first.texts).toEqual(["a", "b"]);
    const second = new FakeConsumer(queue, 10);
    expect(second.texts).toEqual(["a"]);
    await second.answer(0, REFUSED);
    first.give(10);
    second.give(10);
    expect([first.texts, second.texts]).toEqual([["a", "b"], ["a"]]);
    expect(new FakeConsumer(queue, 1).texts).toEqual(["a"]);
  });

  test("a message that is undeliverable here goes at once to another consumer with credit", async () => {
    const queue = new Queue(nodeInit());
    const consumers = [new FakeConsumer(queue, 10), new FakeConsumer(queue, 10)];
    new FakeProducer(queue).send("a");
    const first = consumers.find(({ received }) => received.length === 1);
    await first?.answer(0, REFUSED);
    expect(consumers.map(({ texts }) => texts)).toEqual([["a"], ["a"]]);
  });
});

test("a queue delivers a consumer's unsettled messages again, in order, when it detaches", async () => {
  const queue = new Queue(nodeInit());
  const producer = new FakeProducer(queue);
  const consumer = new FakeConsumer(queue, 3);
  for (const text of ["a", "b", "c", "d"]) producer.send(text);
  await consumer.answer(1, ACCEPTED);
  await consumer.vanish();
  expect(new FakeConsumer(queue, 10).texts).toEqual(["a", "c", "d"]);
});

describe("time to live", () => {
  test("a queue does not deliver a message after its time to live, and frees its room", () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      const init = nodeInit({ messages: 4 });
      const queue = new Queue(init);
      const writer = new Writer();
      encodeMessage(writer, { ttl: 1000, body: { type: "value", value: "short-lived" } });
      const payload = writer.take();
      expect([queue.put(payload), queue.put(payload), queue.put(payload)]).toEqual([true, true, false]);
      vi.advanceTimersByTime(999);
      expect(queue.put(payload)).toBe(false);
      vi.advanceTimersByTime(1);
      const producer = new FakeProducer(queue);
      expect(producer.send("a").state).toEqual(ACCEPTED);
      expect(queue.put(payload)).toBe(true);
      vi.advanceTimersByTime(1000);
      expect(new FakeConsumer(queue, 10).texts).toEqual(["a"]);
      expect(init.budget.messages).toBe(1);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a queue", () => {
  test("a queue is unused when it has no links and holds no message", async () => {
    const init = nodeInit();
    const queue = new Queue(init);
    const producer = new FakeProducer(queue);
    producer.send("a");
    producer.vanish();
    expect(init.unused).toBe(0);
    const consumer = new FakeConsumer(queue, 1);
    await consumer.answer(0, ACCEPTED);
    expect(init.unused).toBe(0);
    await consumer.vanish();
    expect(init.unused).toBe(1);
  });

  test("a temporary queue is deleted with its consumer: its messages are removed, its producers detached", async () => {
    const init = nodeInit({ temporary: true });
    const queue = new Queue(init);
    const consumer = new FakeConsumer(queue, 1);
    const producer = new FakeProducer(queue);
    producer.send("a");
    producer.send("b");
    const vanished = consumer.vanish();
    expect(producer.closedWith).toMatchObject({ condition: "amqp:resource-deleted" });
    expect(init.unused).toBe(1);
    await vanished;
    expect(init.budget.messages).toBe(0);
  });
});
