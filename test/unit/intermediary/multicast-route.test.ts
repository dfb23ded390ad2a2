import { describe, expect, test } from "vitest";
import { ACCEPTED, type Outcome, RELEASED } from "@/src/core/messages/outcome.js";
import { MulticastRoute } from "@/src/intermediary/multicast-route.js";
import { FakeConsumer, FakeProducer, nodeInit, turn } from "@/test/fixtures/fakes/fake-links.js";

const REJECTED: Outcome = { type: "rejected", error: { condition: "my:error" } };
const MODIFIED: Outcome = { type: "modified", deliveryFailed: false, undeliverableHere: true };
const UNKNOWN: Outcome = { type: "unknown", error: new Error("gone") };
const UNSENT: Outcome = { type: "unsent", error: new Error("gone") };

describe("a message", () => {
  test("a multicast message goes to every consumer, settled if it arrived settled", () => {
    const route = new MulticastRoute(nodeInit());
    const consumers = [1, 2, 3].map(() => new FakeConsumer(route, 10));
    const producer = new FakeProducer(route);
    producer.send("a", true);
    producer.send("b");
    for (const { received } of consumers) {
      expect(received.map(({ text, settled }) => [text, settled])).toEqual([
        ["a", true],
        ["b", false],
      ]);
    }
  });

  test.each<[string, Outcome[], Outcome]>([
    ["accepted when all consumers accept it", [ACCEPTED, ACCEPTED], ACCEPTED],
    ["accepted when one consumer accepts it", [RELEASED, ACCEPTED], ACCEPTED],
    ["rejected, without the error, when one rejects it", [ACCEPTED, REJECTED], { type: "rejected", error: undefined }],
    [
      "modified when one modifies it and none accepts it",
      [RELEASED, MODIFIED],
      { ...MODIFIED, deliveryFailed: true, undeliverableHere: false },
    ],
    [
      "modified when one may have got it",
      [UNKNOWN, RELEASED],
      { ...MODIFIED, deliveryFailed: true, undeliverableHere: false },
    ],
    ["released when no consumer got it", [RELEASED, UNSENT], RELEASED],
  ])("a multicast message is %s", async (_, [first = ACCEPTED, second = ACCEPTED], expected) => {
    const init = nodeInit();
    const route = new MulticastRoute(init);
    const consumers = [new FakeConsumer(route, 1), new FakeConsumer(route, 1)];
    const message = new FakeProducer(route).send("a");
    await consumers[0]?.answer(0, first);
    expect(message.state).toBeUndefined();
    await consumers[1]?.answer(0, second);
    expect(message.state).toEqual(expected);
    expect(init.budget.messages).toBe(0);
  });

  test("a multicast message is released when no consumer is left", async () => {
    const route = new MulticastRoute(nodeInit());
    const producer = new FakeProducer(route);
    await new FakeConsumer(route, 1).vanish();
    expect(producer.send("a").state).toEqual(RELEASED);
  });
});

describe("a slow consumer", () => {
  test("a slow consumer of a multicast route does not hold up a quick one, and gets its backlog later", () => {
    const route = new MulticastRoute(nodeInit());
    const slow = new FakeConsumer(route);
    const quick = new FakeConsumer(route, 100);
    const producer = new FakeProducer(route);
    for (let i = 0; i < 50; i++) producer.send(String(i), true);
    expect(quick.received).toHaveLength(50);
    expect(slow.received).toHaveLength(0);
    slow.give(10);
    slow.give(100);
    expect(slow.texts).toEqual(quick.texts);
  });

  test("a slow consumer of a multicast route loses the messages over its backlog of 1000", async () => {
    const init = nodeInit();
    const route = new MulticastRoute(init);
    const slow = new FakeConsumer(route);
    const quick = new FakeConsumer(route, 2000);
    const producer = new FakeProducer(route);
    const messages = Array.from({ length: 1500 }, (_, i) => producer.send(String(i)));
    slow.give(2000);
    expect(slow.texts).toEqual(quick.texts.slice(0, 1000));
    await quick.answer(1200, ACCEPTED);
    expect(messages[1200]?.state).toEqual(ACCEPTED);
  });

  test("a slow consumer that detaches leaves no multicast message unsettled", async () => {
    const init = nodeInit();
    const route = new MulticastRoute(init);
    const slow = new FakeConsumer(route);
    const quick = new FakeConsumer(route, 10);
    const message = new FakeProducer(route).send("a");
    await quick.answer(0, ACCEPTED);
    expect(message.state).toBeUndefined();
    await slow.vanish();
    expect(message.state).toEqual(ACCEPTED);
    expect(init.budget.messages).toBe(0);
  });
});

describe("credit for producers", () => {
  test("a multicast route gives producers no credit without a consumer's credit", () => {
    const route = new MulticastRoute(nodeInit());
    const producer = new FakeProducer(route);
    new FakeConsumer(route);
    expect(producer.credit).toBe(0);
    new FakeConsumer(route, 3);
    expect(producer.credit).toBe(3);
  });

  test("a multicast route gives producers credit for the quickest consumer", () => {
    const route = new MulticastRoute(nodeInit());
    new FakeConsumer(route, 1);
    const quick = new FakeConsumer(route, 1000);
    const producer = new FakeProducer(route);
    expect(producer.credit).toBe(250);
    for (let i = 0; i < 900; i++) {
      expect(producer.credit).toBeGreaterThan(0);
      producer.send(String(i), true);
    }
    expect(quick.received).toHaveLength(900);
  });

  test("a multicast route withdraws the producers' credit when the last consumer detaches", async () => {
    const route = new MulticastRoute(nodeInit());
    const producer = new FakeProducer(route);
    const consumer = new FakeConsumer(route, 10);
    await consumer.vanish();
    producer.giveBack();
    await turn();
    expect(producer.credit).toBe(0);
  });
});

test("a multicast route is unused once its last link has detached", async () => {
  const init = nodeInit();
  const route = new MulticastRoute(init);
  const producer = new FakeProducer(route);
  const consumer = new FakeConsumer(route, 1);
  producer.vanish();
  expect(init.unused).toBe(0);
  await consumer.vanish();
  expect(init.unused).toBe(1);
});

test("a draining consumer of a multicast route gets its backlog, and gives producers no credit", () => {
  const route = new MulticastRoute(nodeInit());
  const slow = new FakeConsumer(route);
  new FakeConsumer(route, 2);
  const producer = new FakeProducer(route);
  producer.send("a");
  producer.send("b");
  slow.drain(10);
  expect(slow.texts).toEqual(["a", "b"]);
  expect(producer.credit).toBe(0);
});
