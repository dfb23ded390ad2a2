import { expect, test } from "vitest";
import { ACCEPTED, RELEASED } from "@/src/core/messages/outcome.js";
import { Topic } from "@/src/intermediary/topic.js";
import { FakeConsumer, FakeProducer, nodeInit } from "@/test/fixtures/fakes/fake-links.js";

test("a topic sends each message to every subscriber, as soon as the subscriber gives credit", async () => {
  const init = nodeInit();
  const topic = new Topic(init);
  const [first, second] = [new FakeConsumer(topic, 10), new FakeConsumer(topic)];
  const producer = new FakeProducer(topic);
  expect(producer.send("a").state).toEqual(ACCEPTED);
  expect(first.texts).toEqual(["a"]);
  expect(second.texts).toEqual([]);
  second.give(1);
  expect(second.texts).toEqual(["a"]);
  await first.answer(0, ACCEPTED);
  await second.answer(0, RELEASED);
  second.give(1);
  expect([first.texts, second.texts]).toEqual([["a"], ["a", "a"]]);
  expect(init.budget.messages).toBe(1);
});

test("a topic accepts a message without subscribers, and later subscribers do not get it", () => {
  const topic = new Topic(nodeInit());
  const producer = new FakeProducer(topic);
  expect(producer.send("a").state).toEqual(ACCEPTED);
  expect(new FakeConsumer(topic, 10).texts).toEqual([]);
});

test("a topic's subscriber that does not read loses the messages over the limit; the others get all", async () => {
  const init = nodeInit({ messages: 10 });
  const topic = new Topic(init);
  const stuck = new FakeConsumer(topic);
  const reader = new FakeConsumer(topic, 100);
  const producer = new FakeProducer(topic);
  for (let i = 0; i < 20; i++) {
    expect(producer.send(String(i)).state).toEqual(ACCEPTED);
    await reader.answer(i, ACCEPTED);
  }
  expect(reader.received).toHaveLength(20);
  stuck.give(100);
  expect(stuck.received.length).toBeLessThan(10);
});

test("a topic removes a subscriber's messages when it detaches, and is unused once its last link detaches", async () => {
  const init = nodeInit();
  const topic = new Topic(init);
  const subscriber = new FakeConsumer(topic, 1);
  const producer = new FakeProducer(topic);
  producer.send("a");
  producer.send("b");
  await subscriber.vanish();
  expect(init.budget.messages).toBe(0);
  expect(producer.closedWith).toBeUndefined();
  expect(init.unused).toBe(0);
  producer.vanish();
  expect(init.unused).toBe(1);
});
