import { expect, onTestFinished, test } from "vitest";
import { getRpcServer, getRpcTransport, Target } from "@/src/entry/node.js";
import { rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { RABBITMQ_VERSIONS } from "@/test/fixtures/beds/rabbitmq-installation.js";
import { runExample, writeExample } from "@/test/fixtures/readme.js";
import { BUN, DENO } from "@/test/fixtures/runtimes/command-line.js";
import { RunningWorkerd } from "@/test/fixtures/runtimes/workerd.js";

const RUNTIMES = [
  ["Node", [process.execPath]],
  ["Deno", [...DENO, "--allow-env"]],
  ["Bun", BUN],
] as const;

test.each(RUNTIMES)("the README's example of RPC runs in %s on RabbitMQ", async (_runtime, command) => {
  const { url } = await rabbitMqBed("3.10.8");
  expect(await runExample("node.mjs", { TRANSPORT_URL: url }, command)).toBe("5\n");
});

test.each(RUNTIMES)("the README's example of notifications runs in %s on RabbitMQ", async (_runtime, command) => {
  const { url } = await rabbitMqBed("4");
  expect(JSON.parse(await runExample("notifications.mjs", { TRANSPORT_URL: url }, command))).toEqual({
    publisherId: "compute.host-1",
    eventType: "compute.instance.create",
    payload: { id: 1 },
  });
});

test("the README's worker calls a server on RabbitMQ", async () => {
  const { url } = await rabbitMqBed("3.10.8");
  const transport = getRpcTransport(url, { logger: null });
  onTestFinished(() => transport.close());
  const endpoint = { add: (_context: object, { a, b }: { a: number; b: number }) => a + b };
  await getRpcServer(transport, { topic: "calc", server: "calc-1" }, [endpoint]).start();
  const environment = { TRANSPORT_URL: url };
  await using running = await RunningWorkerd.start("workerd", await writeExample("worker.mjs"), { environment });
  expect(await (await fetch(running.url)).json()).toBe(5);
});

test.each(RABBITMQ_VERSIONS)(
  "the README's example of RabbitMQ %s names the missing queue, and then calls",
  async (version) => {
    const { url } = await rabbitMqBed(version);
    const missing = "no queue conductor in exchange nova: NO_ROUTE\n";
    expect(await runExample("rabbitmq.mjs", { TRANSPORT_URL: url })).toBe(missing);

    const transport = getRpcTransport(url, { controlExchange: "nova" });
    onTestFinished(() => transport.close());
    const ping = (_context: object, { arg }: { arg: string }) => ({ service: "conductor", arg });
    const endpoint = { target: new Target({ namespace: "baseapi", version: "1.1" }), ping };
    await getRpcServer(transport, { topic: "conductor", server: "host-1" }, [endpoint]).start();
    expect(await runExample("rabbitmq.mjs", { TRANSPORT_URL: url })).toBe("{ service: 'conductor', arg: 'hello' }\n");
  },
);
