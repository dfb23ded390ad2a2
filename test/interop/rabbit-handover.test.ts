import { describe, expect, test } from "vitest";
import {
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  Notifier,
  type TransportStatus,
} from "@/src/entry/node.js";
import { uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { type RabbitMqBed, rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { failureOf } from "@/test/fixtures/peers/driver-peer.js";
import { oslo } from "@/test/fixtures/processes/command.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

/** The virtual host of a bed by AMQP 1.0, for a user. */
function amqpUrl({ node, virtualHost }: RabbitMqBed, login = "guest:guest"): string {
  return `amqp://${login}@${node.address.host}:${node.address.port}/${virtualHost}`;
}

const echo = { echo: (_context: object, { arg }: Record<string, unknown>) => arg };

describe("amqp:// to RabbitMQ 4", () => {
  test("operations that begin before the connection arrive, and the status has no loss", async () => {
    const bed = await rabbitMqBed("4");
    const topic = uniqueTopic("handover");
    await using serving = getRpcTransport(bed.url, { logger: null });
    await using server = getRpcServer(serving, { topic, server: "s" }, [echo]);
    await server.start();
    const logger = new RecordingLogger();
    await using calling = getRpcTransport(amqpUrl(bed), { logger });
    const statuses: TransportStatus["type"][] = [];
    const watched = (async () => {
      for await (const { type } of calling.status()) statuses.push(type);
    })();
    const client = getRpcClient(calling, { topic });
    const numbers = [...Array(20).keys()];
    const calls = numbers.map((arg) => client.call({}, "echo", { arg }));
    expect(await Promise.all(calls)).toEqual(numbers);
    expect(calling.state).toMatchObject({ type: "connected", product: "RabbitMQ" });
    expect(logger.lines.filter(({ level }) => level !== "debug")).toEqual([]);
    await calling.close();
    await watched;
    expect(statuses).not.toContain("disconnected");
    expect(statuses.at(-1)).toBe("closed");
  });

  test("a call that must reach a queue fails when there is none, and each pool gets each notification", async () => {
    const bed = await rabbitMqBed("4");
    const topic = uniqueTopic("handover");
    await using calling = getRpcTransport(amqpUrl(bed), { logger: null });
    const lost = getRpcClient(calling, { topic: uniqueTopic("nowhere") }, { atLeastOnce: true });
    expect(await failureOf(lost.call({}, "echo"))).toMatchObject({ name: "MessageUndeliverable" });

    await using listening = getNotificationTransport(amqpUrl(bed), { logger: null });
    const seen = new Inbox<string>("notifications");
    const listen = (pool: string) =>
      getNotificationListener(
        listening,
        [{ topic }],
        [{ info: (_context, _publisher, eventType) => seen.put(`${pool} ${eventType}`) }],
        { pool },
      );
    await using a = listen("a");
    await using b = listen("b");
    await Promise.all([a.start(), b.start()]);
    await using notifying = getNotificationTransport(amqpUrl(bed), { logger: null });
    await new Notifier(notifying, { publisherId: "p", topics: [topic] }).info({}, "e", {});
    for (const pool of ["a", "b"]) await seen.take(pool, (line) => (line === `${pool} e` ? true : undefined));
  });

  test("a user whose only virtual host is that of the URL connects", async () => {
    const bed = await rabbitMqBed("4");
    await bed.node.addUser({ username: "only", password: "secret" }, bed.virtualHost);
    await using transport = getRpcTransport(amqpUrl(bed, "only:secret"), { logger: null });
    expect(await transport.probe()).toMatchObject({ product: "RabbitMQ", virtualHost: bed.virtualHost });
  });

  test("check reports on the virtual host of the URL", async () => {
    const bed = await rabbitMqBed("4");
    const { status, stdout } = await oslo("check", "--url", amqpUrl(bed), "--json", "--topic", uniqueTopic("check"));
    const { report, checks } = JSON.parse(stdout);
    expect(report).toMatchObject({ product: "RabbitMQ", virtualHost: bed.virtualHost });
    expect(checks.slice(0, 5)).toEqual(Array(5).fill(expect.objectContaining({ ok: true })));
    expect(status).toBe(5); // the topic has no queues
  });
});
