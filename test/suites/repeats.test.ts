import { describe, expect, inject, test } from "vitest";
import { silentLogger } from "@/src/core/logger.js";
import { getRpcClient, getRpcServer, getRpcTransport, type RPCClient } from "@/src/entry/node.js";
import { embedded } from "@/test/fixtures/beds/embedded.js";
import { RabbitHost } from "@/test/fixtures/beds/rabbit-host.js";
import { Relay } from "@/test/fixtures/network/relay.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

const TOPIC = "repeats";

/** Slow enough that no acknowledgement passes before the cut. */
const HELD_UP = 1;

const TO_ANY = { topic: TOPIC };
const TO_ONE = { topic: TOPIC, server: "a" };

/** A broker that a server reaches through a relay, and clients reach directly. */
interface Place extends AsyncDisposable {
  readonly relay: Relay;
  readonly servingUrl: string;
  readonly callingUrl: string;
  /** The broker is reached again after a cut. */
  start(): Promise<void>;
}

async function embeddedPlace(): Promise<Place> {
  const relay = Relay.atOwnAddress();
  const { host } = relay;
  const broker = await embedded({ by: "tcp", at: { host, port: 0 } });
  await relay.passTo(broker.port);
  return {
    relay,
    servingUrl: `amqp://${host}:${relay.port}/`,
    callingUrl: `amqp://${host}:${broker.port}/`,
    start: () => relay.passTo(broker.port),
    async [Symbol.asyncDispose]() {
      await broker[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}

async function rabbitPlace(): Promise<Place> {
  const host = await RabbitHost.reserve();
  await host.start();
  return {
    relay: host.relay,
    servingUrl: host.url(),
    callingUrl: host.bed.url,
    start: () => host.start(),
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}

/** The quick tests have no RabbitMQ. */
const PLACES: [name: string, open: () => Promise<Place>][] = [
  ["A broker", embeddedPlace],
  ...(inject("rabbitMq") === undefined ? [] : [["RabbitMQ", rabbitPlace] as [string, () => Promise<Place>]]),
];

describe.concurrent.each(PLACES)(
  "%s loses the connection of a server before its acknowledgement arrives",
  (_name, open) => {
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
    ])(
      "a $kind is delivered again, and run once",
      { tags: ["rpc:server:repeat"] },
      async ({ target, send, result }) => {
        await using place = await open();
        const { relay, servingUrl, callingUrl } = place;
        const warnings = new Inbox<string>("the server's log");
        const logger = { ...silentLogger, warn: (message: string) => warnings.put(message) };
        await using serving = getRpcTransport(servingUrl, { logger, random: () => 0 });
        const held = new BlockingEndpoint();
        await using server = getRpcServer(serving, { topic: TOPIC, server: "a" }, [held]);
        await server.start();
        await using calling = getRpcTransport(callingUrl, { logger: null });

        const client = getRpcClient(calling, target);
        await client.call({}, "echo"); // the server is ready
        relay.throttle(HELD_UP);
        const sent = send(client);
        await held.begun("x");
        await relay.cut();
        relay.throttle(Number.POSITIVE_INFINITY);
        await place.start();
        await warnings.take("a repeat", (warning) => /^discarded a repeated request/.exec(warning) ?? undefined);
        held.release();
        expect(await sent).toBe(result);
        expect(held.calls).toEqual(["x"]);
      },
    );
  },
);
