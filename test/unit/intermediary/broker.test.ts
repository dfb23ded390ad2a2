import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Connection } from "@/src/core/connection/connection.js";
import { ACCEPTED } from "@/src/core/messages/outcome.js";
import { IntermediaryBed, textMessage, textOf } from "@/test/fixtures/beds/intermediary-bed.js";

const ANYCAST = "openstack.org/om/notify/anycast/openstack/notifications.info";
const MULTICAST = "broadcast.openstack.topic.all";
const UNSETTLED = { settled: false };

let bed: IntermediaryBed;
let client: Connection;
let server: Connection;

beforeEach(async () => {
  bed = new IntermediaryBed({ kind: "broker", limits: { queuedMessages: 100 } });
  client = await bed.connect();
  server = await bed.connect();
});

afterEach(() => bed.close());

describe("a broker", () => {
  test("a broker's Open names the product oslo-messaging-broker", () => {
    expect(client.remote.product).toBe("oslo-messaging-broker");
  });

  test("a broker accepts a message at once, and delivers it to a consumer that attaches later", async () => {
    const producer = await bed.producer(client, ANYCAST);
    expect(await producer.send({ ...textMessage("early"), messageId: "1" }, UNSETTLED)).toEqual(ACCEPTED);
    await producer.close();
    const { inbox } = await bed.consumer(server, ANYCAST);
    const delivery = await inbox.next();
    expect(delivery.message).toMatchObject({ messageId: "1" });
    expect(textOf(delivery)).toBe("early");
    expect(delivery.settled).toBe(false);
  });

  test("a broker sends its messages to a draining consumer before it completes the drain", async () => {
    const producer = await bed.producer(client, ANYCAST);
    for (const text of ["a", "b"]) await producer.send(textMessage(text), UNSETTLED);
    const { receiver, inbox } = await bed.consumer(server, ANYCAST, 0);
    receiver.grant(10);
    await receiver.drain();
    expect([inbox.count, receiver.credit]).toEqual([2, 0]);
  });

  test("a broker accepts a message while the consumer has not settled it", async () => {
    const { inbox } = await bed.consumer(server, ANYCAST);
    const producer = await bed.producer(client, ANYCAST);
    expect(await producer.send(textMessage("a"), UNSETTLED)).toEqual(ACCEPTED);
    expect((await inbox.next()).settled).toBe(false);
  });

  test.each([
    { type: "released" } as const,
    { type: "modified", deliveryFailed: true, undeliverableHere: false } as const,
  ])("a broker delivers a $type message again", async (state) => {
    const { inbox } = await bed.consumer(server, ANYCAST);
    const producer = await bed.producer(client, ANYCAST);
    await producer.send(textMessage("again"), UNSETTLED);
    (await inbox.next()).settle(state);
    expect(await inbox.nextText()).toBe("again");
  });

  test("a broker delivers a message that is undeliverable here to another consumer", async () => {
    const { inbox } = await bed.consumer(server, ANYCAST);
    const producer = await bed.producer(client, ANYCAST);
    await producer.send(textMessage("a"), UNSETTLED);
    (await inbox.next()).modify({ deliveryFailed: true, undeliverableHere: true });
    await bed.settle(server);
    const other = await bed.consumer(client, ANYCAST);
    expect(await other.inbox.nextText()).toBe("a");
    expect(inbox.count).toBe(1);
  });

  test("a broker drops a rejected message, and logs it", async () => {
    const { inbox } = await bed.consumer(server, ANYCAST);
    const producer = await bed.producer(client, ANYCAST);
    await producer.send(textMessage("bad"), UNSETTLED);
    (await inbox.next()).reject({ condition: "my:error" });
    await producer.send(textMessage("good"), UNSETTLED);
    expect(await inbox.nextText()).toBe("good");
    expect(bed.logger.lines.join("\n")).toMatch(/dropped a message of \d+ bytes from .*notifications.info.*my:error/);
  });

  test("a broker delivers unsettled messages again when the consumer's connection is lost", async () => {
    const { inbox } = await bed.consumer(server, ANYCAST);
    const producer = await bed.producer(client, ANYCAST);
    for (const text of ["a", "b", "c"]) await producer.send(textMessage(text), UNSETTLED);
    await inbox.nextText();
    await inbox.next();
    await server.close();
    const other = await bed.consumer(client, ANYCAST);
    expect([await other.inbox.nextText(), await other.inbox.nextText()]).toEqual(["b", "c"]);
  });

  test("a broker sends a multicast message to every subscriber, and accepts it without subscribers", async () => {
    const producer = await bed.producer(client, MULTICAST);
    expect(await producer.send(textMessage("unheard"), UNSETTLED)).toEqual(ACCEPTED);
    const consumers = [await bed.consumer(server, MULTICAST), await bed.consumer(client, MULTICAST)];
    await producer.send(textMessage("heard"), UNSETTLED);
    for (const { inbox } of consumers) expect(await inbox.nextText()).toBe("heard");
  });

  test("a broker rejects messages over the limit of their address, and accepts those to other addresses", async () => {
    const producer = await bed.producer(client, "full");
    const sent = Array.from({ length: 60 }, (_, i) => producer.send(textMessage(String(i)), UNSETTLED));
    const outcomes = await Promise.all(sent);
    expect(outcomes.slice(0, 50)).toEqual(outcomes.slice(0, 50).map(() => ACCEPTED));
    expect(outcomes[50]).toEqual({
      type: "rejected",
      error: { condition: "amqp:resource-limit-exceeded", description: "full is full" },
    });
    const other = await bed.producer(client, "other");
    expect(await other.send(textMessage("a"), UNSETTLED)).toEqual(ACCEPTED);
  });

  test("an address whose consumer gives no credit does not hold up the broker's others", async () => {
    const dead = await bed.producer(client, "dead");
    await bed.consumer(server, "dead", 0);
    for (let i = 0; i < 50; i++) await dead.send(textMessage("never"), UNSETTLED);
    const { inbox } = await bed.consumer(server, ANYCAST);
    const producer = await bed.producer(client, ANYCAST);
    for (let i = 0; i < 100; i++) {
      expect(await producer.send(textMessage(String(i)), UNSETTLED)).toEqual(ACCEPTED);
      expect(await inbox.nextText()).toBe(String(i));
    }
  });
});

describe("dynamic nodes", () => {
  test("a broker's dynamic node accepts a reply that arrives before there is credit", async () => {
    const { receiver, inbox } = await bed.consumer(client, undefined, 0);
    const producer = await bed.producer(server, receiver.source?.address ?? "");
    expect(await producer.send(textMessage("reply"), UNSETTLED)).toEqual(ACCEPTED);
    receiver.grant(1);
    expect(await inbox.nextText()).toBe("reply");
  });

  test("a deleted dynamic node detaches its producers, and the broker refuses new ones", async () => {
    const { receiver } = await bed.consumer(client, undefined);
    const address = receiver.source?.address ?? "";
    const detached = new Promise((resolve) => void bed.producer(server, address, resolve).then(() => receiver.close()));
    expect(await detached).toMatchObject({ condition: "amqp:resource-deleted" });
    await expect(bed.producer(server, address)).rejects.toMatchObject({ condition: "amqp:not-found" });
  });
});
