import { describe, expect, test } from "vitest";
import { silentLogger } from "@/src/core/logger.js";
import { getRpcClient, getRpcServer, getRpcTransport, type RPCClient } from "@/src/entry/node.js";
import { embedded } from "@/test/fixtures/beds/embedded.js";
import { Relay } from "@/test/fixtures/network/relay.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

const TOPIC = "repeats";

/** Slow enough that no acknowledgement passes before the cut. */
const HELD_UP = 1;

const TO_ANY = { topic: TOPIC };
const TO_ONE = { topic: TOPIC, server: "a" };

describe.concurrent("A broker loses the connection of a server before its acknowledgement arrives", () => {
  test.each<{ kind: string; target: object; send: (client: RPCClient) => Promise<unknown>; result: unknown }>([
    {
      kind: "call to any server",
      target: TO_ANY,
      send: (client) => client.call({}, "hold", { arg: "x" }),
      result: "x",
    },
    {
      kind: "call to one server",
      target: TO_ONE,
      send: (client) => client.call({}, "hold", { arg: "x" }),
      result: "x",
    },
    { kind: "cast", target: TO_ANY, send: (client) => client.cast({}, "hold", { arg: "x" }), result: undefined },
  ])("a $kind is delivered again, and run once", { tags: ["rpc:server:repeat"] }, async ({ target, send, result }) => {
    await using relay = Relay.atOwnAddress();
    const { host } = relay;
    await using broker = await embedded({ by: "tcp", at: { host, port: 0 } });
    await relay.passTo(broker.port);
    const warnings = new Inbox<string>("the server's log");
    const logger = { ...silentLogger, warn: (message: string) => warnings.put(message) };
    await using serving = getRpcTransport(`amqp://${host}:${relay.port}/`, { logger, random: () => 0 });
    const held = new BlockingEndpoint();
    await using server = getRpcServer(serving, { topic: TOPIC, server: "a" }, [held]);
    await server.start();
    await using calling = getRpcTransport(`amqp://${host}:${broker.port}/`);

    const client = getRpcClient(calling, target);
    await client.call({}, "echo"); // the server's credit has arrived
    relay.throttle(HELD_UP);
    const sent = send(client);
    await held.begun("x");
    await relay.cut();
    relay.throttle(Number.POSITIVE_INFINITY);
    await relay.passTo(broker.port);
    await warnings.take("a repeat", (warning) => /^discarded a repeated request/.exec(warning) ?? undefined);
    held.release();
    expect(await sent).toBe(result);
    expect(held.calls).toEqual(["x"]);
  });
});
