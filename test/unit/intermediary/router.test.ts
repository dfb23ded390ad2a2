import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Connection } from "@/src/core/connection/connection.js";
import { ACCEPTED } from "@/src/core/messages/outcome.js";
import { IntermediaryBed, textMessage, textOf } from "@/test/fixtures/beds/intermediary-bed.js";

const ANYCAST = "openstack.org/om/rpc/anycast/openstack/topic";
const MULTICAST = "openstack.org/om/rpc/multicast/openstack/topic";
const UNSETTLED = { settled: false };

let bed: IntermediaryBed;
let client: Connection;
let server: Connection;

beforeEach(async () => {
  bed = new IntermediaryBed({ kind: "router" });
  client = await bed.connect();
  server = await bed.connect();
});

afterEach(() => bed.close());

describe("a router", () => {
  test("a router's Open names the product oslo-messaging-router", () => {
    expect(client.remote.product).toBe("oslo-messaging-router");
  });

  test("a router forwards a message unchanged, and keeps it unsettled until the consumer settles it", async () => {
    const { inbox } = await bed.consumer(server, ANYCAST);
    const producer = await bed.producer(client, ANYCAST);
    let outcome: unknown;
    const sent = producer.send({ ...textMessage("hello"), messageId: "1", ttl: 5000 }, UNSETTLED).then((result) => {
      outcome = result;
    });
    const delivery = await inbox.next();
    expect(delivery.message).toMatchObject({ messageId: "1", ttl: 5000 });
    expect(textOf(delivery)).toBe("hello");
    await bed.settle(client);
    expect(outcome).toBeUndefined();
    delivery.accept();
    await sent;
    expect(outcome).toEqual(ACCEPTED);
  });

  test.each([
    { type: "released" } as const,
    { type: "modified", deliveryFailed: true, undeliverableHere: true } as const,
    { type: "rejected", error: { condition: "my:error", description: "no" } } as const,
  ])("a router passes the outcome $type back to the producer", async (state) => {
    const { inbox } = await bed.consumer(server, ANYCAST);
    const producer = await bed.producer(client, ANYCAST);
    const sent = producer.send(textMessage("a"), UNSETTLED);
    (await inbox.next()).settle(state);
    expect(await sent).toEqual(state);
  });

  test("a router forwards a settled message settled", async () => {
    const { inbox } = await bed.consumer(server, ANYCAST);
    const producer = await bed.producer(client, ANYCAST);
    expect(await producer.send(textMessage("a"), { settled: true })).toEqual(ACCEPTED);
    expect((await inbox.next()).settled).toBe(true);
  });

  test("a router forwards a large message of many frames", async () => {
    const { inbox } = await bed.consumer(server, ANYCAST);
    const producer = await bed.producer(client, ANYCAST);
    const text = "large ".repeat(200_000);
    const sent = producer.send(textMessage(text), UNSETTLED);
    expect(await inbox.nextText()).toBe(text);
    expect(await sent).toEqual(ACCEPTED);
  });

  test("a router gives a producer credit as soon as there is a consumer, and none before", async () => {
    const producer = await bed.producer(client, ANYCAST);
    const sent = producer.send(textMessage("early"), UNSETTLED);
    await bed.settle(client);
    expect([producer.credit, producer.queued]).toEqual([0, 1]);
    const { inbox } = await bed.consumer(server, ANYCAST);
    expect(await inbox.nextText()).toBe("early");
    expect(await sent).toEqual(ACCEPTED);
  });

  test("a router gives a producer only the consumer's credit, and renews it when the consumer settles a message", async () => {
    const { inbox } = await bed.consumer(server, ANYCAST, 2);
    const producer = await bed.producer(client, ANYCAST);
    const sent = [1, 2, 3].map((n) => producer.send(textMessage(String(n)), UNSETTLED));
    const [first] = [await inbox.next(), await inbox.next()];
    await bed.settle(client);
    expect([inbox.count, producer.queued]).toEqual([2, 1]);
    first.accept();
    expect(await sent[0]).toEqual(ACCEPTED);
    expect(await inbox.nextText()).toBe("3");
  });

  test("a router withdraws the producer's credit when the last consumer detaches", async () => {
    const { receiver } = await bed.consumer(server, ANYCAST, 50);
    const producer = await bed.producer(client, ANYCAST);
    await bed.settle(client);
    expect(producer.credit).toBe(50);
    await receiver.close();
    await bed.settle(client);
    expect(producer.credit).toBe(0);
    await bed.consumer(server, ANYCAST, 20);
    await bed.settle(client);
    expect(producer.credit).toBe(20);
  });

  test("a message ends modified, delivery-failed, when the router's consumer disconnects without settling it", async () => {
    const { inbox } = await bed.consumer(server, ANYCAST);
    const producer = await bed.producer(client, ANYCAST);
    const sent = producer.send(textMessage("a"), UNSETTLED);
    await inbox.next();
    await server.close();
    expect(await sent).toEqual({ type: "modified", deliveryFailed: true, undeliverableHere: false });
  });

  test("a router shares messages among the consumers of an address", async () => {
    const consumers = [await bed.consumer(server, ANYCAST, 100), await bed.consumer(client, ANYCAST, 100)];
    const producer = await bed.producer(client, ANYCAST);
    const sent = Array.from({ length: 40 }, (_, i) => producer.send(textMessage(String(i)), UNSETTLED));
    for (const { inbox } of consumers) for (let i = 0; i < 20; i++) await inbox.nextText();
    expect(await Promise.all(sent)).toEqual(sent.map(() => ACCEPTED));
  });

  test("a router sends a multicast message to every consumer, and accepts it when all of them have", async () => {
    const consumers = [await bed.consumer(server, MULTICAST), await bed.consumer(client, MULTICAST)];
    const producer = await bed.producer(client, MULTICAST);
    const sent = producer.send(textMessage("all"), UNSETTLED);
    for (const { inbox } of consumers) expect(await inbox.nextText()).toBe("all");
    expect(await sent).toEqual(ACCEPTED);
  });

  test("a router passes a multicast rejection back without its error", async () => {
    const { inbox } = await bed.consumer(server, MULTICAST);
    const producer = await bed.producer(client, MULTICAST);
    const sent = producer.send(textMessage("all"), UNSETTLED);
    (await inbox.next()).reject({ condition: "my:error" });
    expect(await sent).toEqual({ type: "rejected", error: undefined });
  });

  test("an address without credit does not hold up the router's others", async () => {
    await bed.consumer(server, "dead", 0);
    const dead = await bed.producer(client, "dead");
    const waiting = Array.from({ length: 1000 }, () => dead.send(textMessage("never"), UNSETTLED));
    const { inbox } = await bed.consumer(server, ANYCAST);
    const producer = await bed.producer(client, ANYCAST);
    for (let i = 0; i < 100; i++) {
      const sent = producer.send(textMessage(String(i)), UNSETTLED);
      expect(await inbox.nextText()).toBe(String(i));
      expect(await sent).toEqual(ACCEPTED);
    }
    await dead.close();
    expect(new Set((await Promise.all(waiting)).map(({ type }) => type))).toEqual(new Set(["unsent"]));
  });
});

describe("dynamic nodes", () => {
  test("a dynamic node has its own address, and other clients can send to it", async () => {
    const { receiver, inbox } = await bed.consumer(client, undefined);
    const other = await bed.consumer(client, undefined);
    const address = receiver.source?.address ?? "";
    expect(address).toMatch(/[0-9a-f]{32}$/);
    expect(other.receiver.source?.address).not.toBe(address);
    const producer = await bed.producer(server, address);
    const sent = producer.send(textMessage("reply"), { settled: true });
    expect(await inbox.nextText()).toBe("reply");
    expect(await sent).toEqual(ACCEPTED);
    expect(other.inbox.count).toBe(0);
  });

  test("a client cannot receive from another client's dynamic node", async () => {
    const { receiver } = await bed.consumer(client, undefined);
    const attaching = bed.consumer(server, receiver.source?.address);
    await expect(attaching).rejects.toMatchObject({ condition: "amqp:not-allowed" });
  });

  test("a router attaches a producer to a deleted dynamic node's address, and gives it no credit", async () => {
    const { receiver } = await bed.consumer(client, undefined);
    const address = receiver.source?.address ?? "";
    await receiver.close();
    const producer = await bed.producer(server, address);
    await bed.settle(server);
    expect([producer.attached, producer.credit]).toEqual([true, 0]);
  });
});
