import { describe, expect, test } from "vitest";
import { ACCEPTED, type DeliveryState, RELEASED } from "@/src/core/messages/outcome.js";
import { BalancedRoute } from "@/src/intermediary/balanced-route.js";
import { FakeConsumer, FakeProducer, nodeInit, turn } from "@/test/fixtures/fakes/fake-links.js";

describe("credit for producers", () => {
  test("a balanced route gives producers no credit without a consumer", () => {
    expect(new FakeProducer(new BalancedRoute(nodeInit())).credit).toBe(0);
  });

  test("a balanced route gives producers no credit until a consumer gives some", () => {
    const route = new BalancedRoute(nodeInit());
    const producer = new FakeProducer(route);
    const consumer = new FakeConsumer(route);
    expect(producer.credit).toBe(0);
    consumer.give(7);
    expect(producer.credit).toBe(7);
  });

  test("a producer's credit is at most the consumers' credit, and at most 250", () => {
    const route = new BalancedRoute(nodeInit());
    const early = new FakeProducer(route);
    new FakeConsumer(route, 100);
    expect(early.credit).toBe(100);
    new FakeConsumer(route, 1000);
    expect(new FakeProducer(route).credit).toBe(250);
  });

  test("a consumer's drain gives producers no credit, because it would be withdrawn before the messages arrive", () => {
    const route = new BalancedRoute(nodeInit());
    const producer = new FakeProducer(route);
    const consumer = new FakeConsumer(route);
    consumer.drain(7);
    expect(producer.credit).toBe(0);
    consumer.give(2);
    expect(producer.credit).toBe(2);
  });

  test("a producer's credit is renewed with the consumer's, so that sending never stops", () => {
    const route = new BalancedRoute(nodeInit());
    const producer = new FakeProducer(route);
    const consumer = new FakeConsumer(route, 10);
    for (let sent = 1; sent <= 1000; sent++) {
      expect(producer.credit).toBeGreaterThan(0);
      producer.send(String(sent));
      consumer.give(1);
      expect(producer.credit).toBeLessThanOrEqual(10);
    }
    expect(consumer.received).toHaveLength(1000);
  });

  test("a producer's credit ends when the consumers' credit is used up, and continues with it", () => {
    const route = new BalancedRoute(nodeInit());
    const producer = new FakeProducer(route);
    const consumer = new FakeConsumer(route, 1);
    producer.send("a");
    expect(producer.credit).toBe(0);
    consumer.give(1);
    expect(producer.credit).toBe(1);
  });

  test("a producer's credit is withdrawn when the last consumer detaches, and given again for the next one", async () => {
    const route = new BalancedRoute(nodeInit());
    const producer = new FakeProducer(route);
    const consumers = [new FakeConsumer(route, 20), new FakeConsumer(route, 20)];
    await consumers[0]?.vanish();
    producer.giveBack();
    expect(producer.credit).toBe(20);
    await consumers[1]?.vanish();
    producer.giveBack();
    await turn();
    expect(producer.credit).toBe(0);
    new FakeConsumer(route, 5);
    expect(producer.credit).toBe(5);
  });

  test("a producer gets credit even if it returns the withdrawn credit only after the next consumer attaches", async () => {
    const route = new BalancedRoute(nodeInit());
    const producer = new FakeProducer(route);
    await new FakeConsumer(route, 20).vanish();
    new FakeConsumer(route, 5);
    producer.giveBack();
    await turn();
    expect(producer.credit).toBe(5);
  });
});

describe("a message", () => {
  test.each<DeliveryState>([
    ACCEPTED,
    RELEASED,
    { type: "rejected", error: { condition: "my:error", description: "no" } },
    { type: "modified", deliveryFailed: true, undeliverableHere: true },
  ])("a routed message is unsettled until its consumer settles it as $type, which its producer gets", async (state) => {
    const route = new BalancedRoute(nodeInit());
    const consumer = new FakeConsumer(route, 1);
    const message = new FakeProducer(route).send("a");
    await turn();
    expect(consumer.texts).toEqual(["a"]);
    expect(message.state).toBeUndefined();
    await consumer.answer(0, state);
    expect(message.state).toEqual(state);
  });

  test("a routed message is sent settled if it arrived settled, unless the consumer's settle mode differs", async () => {
    const sent = (mode: "mixed" | "settled" | "unsettled", settled: boolean): boolean | undefined => {
      const route = new BalancedRoute(nodeInit());
      const consumer = new FakeConsumer(route, 1, mode);
      new FakeProducer(route).send("a", settled);
      return consumer.received[0]?.settled;
    };
    expect([sent("mixed", true), sent("mixed", false)]).toEqual([true, false]);
    expect([sent("settled", true), sent("settled", false)]).toEqual([true, true]);
    expect([sent("unsettled", true), sent("unsettled", false)]).toEqual([false, false]);
  });

  test("a routed message is accepted once it is sent to a consumer that receives settled", async () => {
    const route = new BalancedRoute(nodeInit());
    new FakeConsumer(route, 1, "settled");
    const message = new FakeProducer(route).send("a");
    await turn();
    expect(message.state).toEqual(ACCEPTED);
  });

  test("a routed message ends modified, delivery-failed, when its consumer detaches without settling it", async () => {
    const route = new BalancedRoute(nodeInit());
    const consumer = new FakeConsumer(route, 1);
    const message = new FakeProducer(route).send("a");
    await consumer.vanish("unknown");
    expect(message.state).toEqual({ type: "modified", deliveryFailed: true, undeliverableHere: false });
  });

  test("a routed message goes to another consumer if it was unsent when its consumer detached", async () => {
    const route = new BalancedRoute(nodeInit());
    const consumer = new FakeConsumer(route, 1);
    const message = new FakeProducer(route).send("a");
    const other = new FakeConsumer(route, 1);
    await consumer.vanish("unsent");
    expect(other.texts).toEqual(["a"]);
    await other.answer(0, ACCEPTED);
    expect(message.state).toEqual(ACCEPTED);
  });

  test("an unsent message is released when its consumer detaches and there is no other", async () => {
    const route = new BalancedRoute(nodeInit());
    const consumer = new FakeConsumer(route, 1);
    const message = new FakeProducer(route).send("a");
    await consumer.vanish("unsent");
    expect(message.state).toEqual(RELEASED);
  });

  test("a message is released when it arrives on the credit of a consumer that has detached", async () => {
    const route = new BalancedRoute(nodeInit());
    const producer = new FakeProducer(route);
    await new FakeConsumer(route, 1).vanish();
    expect(producer.send("a").state).toEqual(RELEASED);
  });

  test("messages wait in order when others have used up the credit, and are released without a consumer", async () => {
    const route = new BalancedRoute(nodeInit());
    const producers = [new FakeProducer(route), new FakeProducer(route), new FakeProducer(route)];
    const consumer = new FakeConsumer(route, 1);
    const messages = producers.map((producer, index) => producer.send(String(index)));
    expect(consumer.texts).toEqual(["0"]);
    consumer.give(1);
    expect(consumer.texts).toEqual(["0", "1"]);
    await consumer.vanish();
    expect(messages.map(({ state }) => state?.type)).toEqual(["modified", "modified", "released"]);
  });

  test("a balanced route releases messages over its limits", async () => {
    const init = nodeInit({ messages: 3 });
    const route = new BalancedRoute(init);
    const consumer = new FakeConsumer(route, 100);
    const producer = new FakeProducer(route);
    const messages = [1, 2, 3].map((n) => producer.send(String(n)));
    expect(messages.map(({ state }) => state?.type)).toEqual([undefined, undefined, "released"]);
    await consumer.answer(0, ACCEPTED);
    await consumer.answer(1, ACCEPTED);
    expect(init.budget.messages).toBe(0);
    expect(producer.send("4").state).toBeUndefined();
  });
});

describe("several consumers", () => {
  test("two consumers of a balanced route share its messages", async () => {
    const route = new BalancedRoute(nodeInit());
    const consumers = [new FakeConsumer(route, 100), new FakeConsumer(route, 100)];
    const producer = new FakeProducer(route);
    for (let i = 0; i < 10; i++) producer.send(String(i));
    expect(consumers.map(({ received }) => received.length)).toEqual([5, 5]);
  });

  test("a slow consumer of a balanced route gets fewer messages", async () => {
    const route = new BalancedRoute(nodeInit());
    const [slow, quick] = [new FakeConsumer(route, 100), new FakeConsumer(route, 100)];
    const producer = new FakeProducer(route);
    for (let i = 0; i < 20; i++) {
      producer.send(String(i));
      await quick.answer(quick.received.length - 1, ACCEPTED);
    }
    expect(slow.received).toHaveLength(1);
  });
});

describe("a route", () => {
  test("a balanced route is unused once its last link has detached, producer or consumer", async () => {
    const init = nodeInit();
    const route = new BalancedRoute(init);
    const consumer = new FakeConsumer(route, 1);
    const producer = new FakeProducer(route);
    await consumer.vanish();
    expect(init.unused).toBe(0);
    producer.vanish();
    expect(init.unused).toBe(1);
    const only = new FakeConsumer(route, 1);
    await only.vanish();
    expect(init.unused).toBe(2);
  });
});
