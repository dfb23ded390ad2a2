import { beforeAll, describe, expect, test } from "vitest";
import { uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { type RabbitMqBed, rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { RABBITMQ_VERSIONS } from "@/test/fixtures/beds/rabbitmq-installation.js";
import { PythonClient, PythonListener, PythonNotifier, PythonServer } from "@/test/fixtures/python/python.js";

/** A Python peer of each version, and the other one. */
const PAIRS = [
  ["14.0.3", "18.3.1"],
  ["18.3.1", "14.0.3"],
] as const;

describe.each(RABBITMQ_VERSIONS)("through RabbitMQ %s", (broker) => {
  let bed: RabbitMqBed;
  beforeAll(async () => {
    bed = await rabbitMqBed(broker);
  });

  test.for(PAIRS)("a server of Python's oslo.messaging %s answers a client of %s", async ([server, client]) => {
    const topic = uniqueTopic("python");
    await using answering = await PythonServer.start({ url: bed.url, topic, server: "s", version: server });
    await using calling = await PythonClient.start(bed.url, { version: client });
    const target = { topic, version: "1.0" };
    await expect(calling.call({ target, method: "echo", args: { arg: "é" } })).resolves.toBe("é");
    await calling.cast({ target: { ...target, fanout: true }, method: "note", args: { arg: "fanout" } });
    await answering.noted("fanout");
    const failing = calling.call({ target: { ...target, server: "s" }, method: "fail", args: { kind: "value" } });
    await expect(failing).rejects.toMatchObject({
      type: "ValueError",
      message: expect.stringContaining("bad value é"),
    });
  });

  test.for(PAIRS)("two pools of Python listeners, %s and %s, get each notification", async ([first, second]) => {
    const topic = uniqueTopic("python");
    await using a = await PythonListener.start(bed.url, topic, { version: first, pool: "a" });
    await using b = await PythonListener.start(bed.url, topic, { version: second, pool: "b" });
    await using notifier = await PythonNotifier.start(bed.url, { version: second });
    const notification = { topic, priority: "info", publisherId: "p", eventType: "e", payload: { n: 1 } };
    await notifier.notify({ driver: "messagingv2", ...notification });
    const seen = [await a.saw("e"), await b.saw("e")];
    expect(seen.map(({ priority, payload }) => [priority, payload])).toEqual(Array(2).fill(["info", { n: 1 }]));
  });

  test.for(PAIRS)("options in a file reach a Python peer %s, those in its URL a %s", async ([inFile, inUrl]) => {
    const { url, node, virtualHost } = await rabbitMqBed(broker); // its exchange is durable
    const [a, b] = [uniqueTopic("file"), uniqueTopic("url")];
    const options = { rabbit_quorum_queue: "true" };
    await using _a = await PythonServer.start({ url, topic: a, server: "s", version: inFile, options });
    const query = `${url}?rabbit_quorum_queue=true`;
    await using _b = await PythonServer.start({ url: query, topic: b, server: "s", version: inUrl });
    const queues = await node.ctl("list_queues", "--vhost", virtualHost, "name", "type");
    expect(queues).toContain(`${a}\tquorum`);
    expect(queues).toContain(`${b}\tquorum`);
  });
});
