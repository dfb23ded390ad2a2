import { describe, expect, test } from "vitest";
import { ACCEPTED, type DeliveryState, RELEASED } from "@/src/core/messages/outcome.js";
import { BalancedRoute } from "@/src/intermediary/balanced-route.js";
import { FakeConsumer, FakeProducer, nodeInit, turn } from "@/test/fixtures/fakes/fake-links.js";

describe("credit for producers", () => {
  test("there is none while nobody listens", () => {
    expect(new FakeProducer(new BalancedRoute(nodeInit())).credit).toBe(0);
  });

  test("there is none while nobody who listens gives any", () => {
    const route = new BalancedRoute(nodeInit());
    const producer = new FakeProducer(route);
    const consumer = new FakeConsumer(route);
    expect(producer.credit).toBe(0);
    consumer.give(7);
    expect(producer.credit).toBe(7);
  });

  test("is at most what the consumers take, and at most 250", () => {
    const route = new BalancedRoute(nodeInit());
    const early = new FakeProducer(route);
    new FakeConsumer(route, 100);
    expect(early.credit).toBe(100);
    new FakeConsumer(route, 1000);
    expect(new FakeProducer(route).credit).toBe(250);
  });

  test("is not given for what a consumer drains, for it would be gone when the messages came", () => {
    const route = new BalancedRoute(nodeInit());
    const producer = new FakeProducer(route);
    const consumer = new FakeConsumer(route);
    consumer.drain(7);
    expect(producer.credit).toBe(0);
    consumer.give(2);
    expect(producer.credit).toBe(2);
  });

  test("comes back as the consumer's does, so that sending never stops", () => {
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

  test("stops when the consumers' is used up, and goes on with it", () => {
    const route = new BalancedRoute(nodeInit());
    const producer = new FakeProducer(route);
    const consumer = new FakeConsumer(route, 1);
    producer.send("a");
    expect(producer.credit).toBe(0);
    consumer.give(1);
    expect(producer.credit).toBe(1);
  });

  test("is withdrawn when the last consumer goes, and given again to the next", async () => {
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

  test("is given to a producer that gives its credit back only after the next consumer has come", async () => {
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
  ])("stays pending until its consumer answers $type, which its producer is told", async (state) => {
    const route = new BalancedRoute(nodeInit());
    const consumer = new FakeConsumer(route, 1);
    const message = new FakeProducer(route).send("a");
    await turn();
    expect(consumer.texts).toEqual(["a"]);
    expect(message.state).toBeUndefined();
    await consumer.answer(0, state);
    expect(message.state).toEqual(state);
  });

  test("passes settled when it came settled, unless the consumer wants the other", async () => {
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

  test("is accepted when a consumer that wants everything settled has got it", async () => {
    const route = new BalancedRoute(nodeInit());
    new FakeConsumer(route, 1, "settled");
    const message = new FakeProducer(route).send("a");
    await turn();
    expect(message.state).toEqual(ACCEPTED);
  });

  test("ends modified, delivery-failed, when its consumer goes without an answer", async () => {
    const route = new BalancedRoute(nodeInit());
    const consumer = new FakeConsumer(route, 1);
    const message = new FakeProducer(route).send("a");
    await consumer.vanish("unknown");
    expect(message.state).toEqual({ type: "modified", deliveryFailed: true, undeliverableHere: false });
  });

  test("goes to another consumer when it had not left for the one that went", async () => {
    const route = new BalancedRoute(nodeInit());
    const consumer = new FakeConsumer(route, 1);
    const message = new FakeProducer(route).send("a");
    const other = new FakeConsumer(route, 1);
    await consumer.vanish("unsent");
    expect(other.texts).toEqual(["a"]);
    await other.answer(0, ACCEPTED);
    expect(message.state).toEqual(ACCEPTED);
  });

  test("is released when it had not left and nobody else listens", async () => {
    const route = new BalancedRoute(nodeInit());
    const consumer = new FakeConsumer(route, 1);
    const message = new FakeProducer(route).send("a");
    await consumer.vanish("unsent");
    expect(message.state).toEqual(RELEASED);
  });

  test("is released when it comes on credit of a consumer that has gone", async () => {
    const route = new BalancedRoute(nodeInit());
    const producer = new FakeProducer(route);
    await new FakeConsumer(route, 1).vanish();
    expect(producer.send("a").state).toEqual(RELEASED);
  });

  test("waits in order when others have used the credit up, and is released when nobody is left", async () => {
    const route = new BalancedRoute(nodeInit());
    const producers = [new FakeProducer(route), new FakeProducer(route), new FakeProducer(route)];
    const consumer = new FakeConsumer(route, 1);
    const parcels = producers.map((producer, index) => producer.send(String(index)));
    expect(consumer.texts).toEqual(["0"]);
    consumer.give(1);
    expect(consumer.texts).toEqual(["0", "1"]);
    await consumer.vanish();
    expect(parcels.map(({ state }) => state?.type)).toEqual(["modified", "modified", "released"]);
  });

  test("is released when more is held than the limits allow", async () => {
    const init = nodeInit({ messages: 3 });
    const route = new BalancedRoute(init);
    const consumer = new FakeConsumer(route, 100);
    const producer = new FakeProducer(route);
    const parcels = [1, 2, 3].map((n) => producer.send(String(n)));
    expect(parcels.map(({ state }) => state?.type)).toEqual([undefined, undefined, "released"]);
    await consumer.answer(0, ACCEPTED);
    await consumer.answer(1, ACCEPTED);
    expect(init.budget.messages).toBe(0);
    expect(producer.send("4").state).toBeUndefined();
  });
});

describe("several consumers", () => {
  test("share what comes", async () => {
    const route = new BalancedRoute(nodeInit());
    const consumers = [new FakeConsumer(route, 100), new FakeConsumer(route, 100)];
    const producer = new FakeProducer(route);
    for (let i = 0; i < 10; i++) producer.send(String(i));
    expect(consumers.map(({ received }) => received.length)).toEqual([5, 5]);
  });

  test("get less when they are slow", async () => {
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
  test("is unused once its last link has gone, whichever that is", async () => {
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
