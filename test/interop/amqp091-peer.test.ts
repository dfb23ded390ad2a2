import { AMQPClient, type AMQPMessage } from "@cloudamqp/amqp-client";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Channel } from "@/src/amqp091/channel.js";
import { type RabbitMqBed, rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { consuming, declareQueue, openConnection, textOf, uniqueName } from "@/test/fixtures/stages/amqp091-stage.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

/** One frame, and several frames of each side. */
const BODIES = ["", '{"text":"é"}', "0123456789".repeat(50_000)];

let bed: RabbitMqBed;
beforeAll(async () => {
  bed = await rabbitMqBed("3.10.8");
});

/** A channel of ours and one of the library, both in confirm mode, with a queue. */
async function channels() {
  const { node, virtualHost, url } = bed;
  const to = { scheme: "rabbit", hostname: node.address.host, port: node.address.port };
  const ours = await (await openConnection(to, { virtualHost })).openChannel();
  await ours.confirmSelect();
  const client = await new AMQPClient(url.replace("rabbit:", "amqp:")).connect();
  onTestFinished(() => client.close());
  const theirs = await client.channel();
  await theirs.confirmSelect();
  return { ours, theirs, queue: await declareQueue(ours) };
}

function publish(channel: Channel, routingKey: string, body: string, more: object = {}) {
  return channel.publish({ exchange: "", routingKey, properties: {}, body: Buffer.from(body), ...more });
}

describe("our connection and @cloudamqp/amqp-client", () => {
  it.each(BODIES)("a message of the library reaches our consumer (%#)", async (body) => {
    const { ours, theirs, queue } = await channels();
    const { next } = await consuming(ours, queue);
    await theirs.basicPublish("", queue, body);
    const delivery = await next();
    expect(textOf(delivery) === body).toBe(true);
    delivery.ack();
    expect(await ours.request("queue.delete", { queue })).toEqual({ messageCount: 0 });
  });

  it.each(BODIES)("our message reaches a consumer of the library (%#)", async (body) => {
    const { ours, theirs, queue } = await channels();
    const inbox = new Inbox<AMQPMessage>("the library");
    await theirs.basicConsume(queue, { noAck: false }, (message) => inbox.put(message));
    expect(await publish(ours, queue, body)).toEqual({ type: "acknowledged" });
    const message = await inbox.take("a message", (value) => value);
    expect((message.bodyString() ?? "") === body).toBe(true);
    await message.ack();
    expect(await theirs.queueDelete(queue)).toEqual({ messageCount: 0 });
  });

  it("all properties of the library are understood, the headers among them skipped", async () => {
    const { ours, theirs, queue } = await channels();
    const { next } = await consuming(ours, queue);
    const known = { contentType: "application/json", contentEncoding: "utf-8", deliveryMode: 2, priority: 7 };
    const strings = { expiration: "60000", messageId: "é" };
    await theirs.basicPublish("", queue, "m", {
      ...known,
      ...strings,
      headers: { before: { deep: [1, "x", { y: null }] }, compression: "application/x-gzip", after: 2n ** 60n },
      correlationId: "c",
      replyTo: "r",
      timestamp: new Date(1e12),
      type: "t",
      userId: "guest",
      appId: "a",
    });
    const { properties, fields } = await next();
    expect({ ...properties }).toEqual({
      ...known,
      ...strings,
      compression: "application/x-gzip",
      streamOffset: undefined,
    });
    expect(fields).toMatchObject({ exchange: "", routingKey: queue, redelivered: false });
  });

  it("the library reads our properties and headers of every type", async () => {
    const { ours, theirs, queue } = await channels();
    const headers = {
      string: "é",
      empty: "",
      yes: true,
      no: false,
      nothing: null,
      int: -5,
      largest: 2 ** 31 - 1,
      double: 1.5,
      when: new Date(1e12),
      table: { deeper: { n: 1 } },
      array: ["x", 1, null, { y: false }],
    };
    const properties = {
      contentType: "application/json",
      contentEncoding: "utf-8",
      headers,
      deliveryMode: 2,
      priority: 0,
      expiration: "60000",
      messageId: "é",
    };
    await publish(ours, queue, "m", { properties });
    const message = await theirs.basicGet(queue);
    expect(message?.properties).toEqual(properties);
    expect(message?.routingKey).toBe(queue);
  });

  it("a topic exchange of ours routes a message of the library, and the other way round", async () => {
    const { ours, theirs, queue } = await channels();
    const [exchange, fanout] = [uniqueName(), uniqueName()];
    await ours.request("exchange.declare", { exchange, type: "topic" });
    await ours.request("queue.bind", { queue, exchange, routingKey: "a.*" });
    await theirs.exchangeDeclare(fanout, "fanout", { durable: false });
    await theirs.queueBind(queue, fanout, "");
    const { next } = await consuming(ours, queue);
    await theirs.basicPublish(exchange, "a.b", "by topic");
    expect((await next()).fields).toMatchObject({ exchange, routingKey: "a.b" });
    expect(await publish(ours, "k", "by fanout", { exchange: fanout })).toEqual({ type: "acknowledged" });
    expect((await next()).fields).toMatchObject({ exchange: fanout, routingKey: "k" });
  });

  it("messages of the library that our consumer rejects with requeue come again, to the library too", async () => {
    const { ours, theirs, queue } = await channels();
    const { next } = await consuming(ours, queue);
    await theirs.basicPublish("", queue, "m");
    const delivery = await next();
    await ours.cancel(queue);
    delivery.reject(true);
    await ours.request("queue.declare", { queue, passive: true });
    expect(await theirs.basicGet(queue)).toMatchObject({ redelivered: true, routingKey: queue });
  });
});
