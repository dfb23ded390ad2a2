import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BuiltinEndpoint } from "@/src/cli/builtin-endpoint.js";
import { getRpcClient, getRpcServer, getRpcTransport } from "@/src/entry/node.js";
import { uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { BrokerJ } from "@/test/fixtures/beds/broker-j.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { failureOf } from "@/test/fixtures/peers/driver-peer.js";
import { oslo } from "@/test/fixtures/processes/command.js";
import { PythonClient, PythonServer } from "@/test/fixtures/python/python.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { nextStatus } from "@/test/fixtures/stages/status.js";

describe("Qpid Broker-J, started with its recipe", { timeout: 60_000 }, () => {
  let broker: BrokerJ;
  /** Our URLs need no addressing mode: the driver chooses legacy addresses. */
  let urls: Readonly<Record<"amqp" | "amqp+ws" | "python", string>>;

  beforeAll(async () => {
    broker = await BrokerJ.start();
    const { tcp, ws } = broker.ports;
    urls = {
      amqp: `amqp://127.0.0.1:${tcp}/`,
      "amqp+ws": `amqp+ws://127.0.0.1:${ws}/`,
      python: `amqp://127.0.0.1:${tcp}/?addressing_mode=legacy`,
    };
  }, 120_000);

  afterAll(async () => {
    await broker?.[Symbol.asyncDispose]();
  });

  test.each(["amqp", "amqp+ws"] as const)(
    "check finds nothing wrong with Broker-J by %s, and reports its limits",
    { tags: ["check:good"] },
    async (scheme) => {
      const { status, stdout } = await oslo("check", "--url", urls[scheme], "--json");
      const { report, checks, warnings } = JSON.parse(stdout);
      expect(checks.filter(({ ok }: { ok: boolean }) => !ok)).toEqual([]);
      expect(status).toBe(0);
      expect(report).toMatchObject({ product: "Apache Qpid Broker-J Core", version: "9.2.1", addressing: "legacy" });
      expect(warnings).toEqual([
        expect.stringContaining("addressing_mode = legacy"),
        expect.stringContaining("Python's servers cannot attach to an address that begins with broadcast before"),
      ]);
    },
  );

  test.each(["amqp", "amqp+ws"] as const)(
    "a Python client calls and casts to our server, which starts first, through Broker-J by %s",
    { tags: ["recipe:broker-j"] },
    async (scheme) => {
      const topic = uniqueTopic("broker-j");
      await using transport = getRpcTransport(urls[scheme], { logger: null });
      const notes = new Inbox<unknown>("our server");
      await using server = getRpcServer(transport, { topic, server: "ours" }, [
        new BuiltinEndpoint("ours", (note) => notes.put(note)),
      ]);
      await server.start();
      await using python = await PythonClient.start(urls.python);
      const target = { topic, version: "1.0" };
      expect(await python.call({ target, method: "echo", args: { arg: "é" } })).toBe("é");
      expect(await python.call({ target: { ...target, server: "ours" }, method: "ping" })).toBe("pong from ours");
      await python.cast({ target: { ...target, fanout: true }, method: "note", args: { arg: "to all" } });
      await notes.take("the fanout", (note) => note === "to all" || undefined);
    },
  );

  test("a server for which Broker-J has no node policy says which part of the recipe is missing", {
    tags: ["recipe:broker-j"],
  }, async () => {
    const logger = new RecordingLogger();
    await using transport = getRpcTransport(`${urls.amqp}?broadcast_prefix=unknown`, { logger });
    const topic = uniqueTopic("broker-j");
    const starting = failureOf(getRpcServer(transport, { topic, server: "ours" }, [{}]).start());
    const { address, error } = await nextStatus(transport, "refused");
    expect(address).toBe(`unknown.openstack.${topic}.all`);
    expect(error.message).toMatch(/^amqp:not-found: .*nodeAutoCreationPolicy of type Exchange.*recipe broker-j$/);
    expect(logger.of("warn")).toContainEqual(`no link to ${address}: ${error.message}`);
    await transport.close();
    await starting;
  });

  test("our client calls a Python server through Broker-J", { tags: ["recipe:broker-j"] }, async () => {
    const topic = uniqueTopic("broker-j");
    await using transport = getRpcTransport(urls.amqp, { logger: null });
    const client = getRpcClient(transport, { topic, version: "1.0" });
    await client.prepare({ fanout: true }).cast({}, "note", { arg: "makes the exchange" });
    await using _server = await PythonServer.start({ url: urls.python, topic, server: "python" });
    expect(await client.call({}, "ping")).toBe("pong from python");
    expect(await client.prepare({ server: "python" }).call({}, "ping")).toBe("pong from python");
  });
});
