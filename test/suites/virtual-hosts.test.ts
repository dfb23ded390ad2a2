import { describe, expect, test } from "vitest";
import { getRpcClient, getRpcServer, getRpcTransport, type RPCTransport } from "@/src/entry/node.js";
import { Intermediary } from "@/src/intermediary/intermediary.js";
import { memoryDial } from "@/src/transports/memory.js";
import { listenTcp } from "@/src/transports/node/tcp-listener.js";
import { overEveryBed, uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { BUSES, RABBITMQ } from "@/test/fixtures/beds/bus-plan.js";
import { rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";

/** Long enough for a call to arrive where there is a server. */
const SHORT_MS = 1_000;

/** Answers with the name of its virtual host. */
class Where {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  where(): string {
    return this.#name;
  }
}

/** Starts a server of one topic in each virtual host but the last. Gives the answer to a client in each virtual host. */
async function answers(
  transportIn: (virtualHost: string) => RPCTransport,
  names: readonly string[],
): Promise<unknown[]> {
  const topic = uniqueTopic("vhost");
  const transports: RPCTransport[] = [];
  const open = (name: string): RPCTransport => {
    const transport = transportIn(name);
    transports.push(transport);
    return transport;
  };
  try {
    for (const name of names.slice(0, -1)) {
      await getRpcServer(open(name), { topic, server: "s" }, [new Where(name)]).start();
    }
    const calls = names.map((name) => {
      const client = getRpcClient(open(name), { topic });
      return client.call({}, "where", {}, { timeoutMs: name === names.at(-1) ? SHORT_MS : 20_000 });
    });
    return (await Promise.allSettled(calls)).map((result) =>
      result.status === "fulfilled" ? result.value : { name: result.reason.name, phase: result.reason.phase },
    );
  } finally {
    await Promise.all(transports.map((transport) => transport.close()));
  }
}

const NAMES = ["red", "blue", "", "empty"];

overEveryBed(
  "Virtual hosts in addresses",
  (bed) => {
    test("virtual hosts in addresses separate servers and clients of the same topic", {
      tags: ["vhost:routable", "vhost:legacy"],
    }, async () => {
      const transportIn = (name: string) => getRpcTransport(bed.url.replace("/?", `/${name}?`), bed.options);
      expect(await answers(transportIn, NAMES)).toEqual([
        ...NAMES.slice(0, -1),
        { name: "MessagingTimeout", phase: bed.storesMessages ? "reply" : "credit" },
      ]);
    });
  },
  { plans: BUSES },
);

overEveryBed(
  "Virtual hosts at RabbitMQ",
  () => {
    test("virtual hosts of a broker separate servers and clients of the same topic", async () => {
      const beds = await Promise.all(NAMES.map(() => rabbitMqBed("3.10.8")));
      const names = beds.map(({ virtualHost }) => virtualHost);
      const urls = new Map(beds.map(({ virtualHost, url }) => [virtualHost, url]));
      const transportIn = (name: string) => getRpcTransport(`${urls.get(name)}`, { logger: null });
      expect(await answers(transportIn, names)).toEqual([
        ...names.slice(0, -1),
        { name: "MessagingTimeout", phase: "reply" },
      ]);
    });

    test("a virtual host with a name that needs escapes, and the one of a URL without a name, are reached", async () => {
      const { node } = await rabbitMqBed("3.10.8");
      const name = "a/b%20 é";
      const all = '<<".*">>, <<".*">>, <<".*">>';
      const escaped = `<<${[...Buffer.from(name)].join(",")}>>`;
      await node.evaluate(
        `rabbit_vhost:add(${escaped}, <<"tests">>),
         ok = rabbit_auth_backend_internal:set_permissions(<<"guest">>, ${escaped}, ${all}, <<"tests">>).`,
      );
      const { host, port } = node.address;
      for (const [url, virtualHost] of [
        [node.url(name), name],
        [`rabbit://guest:guest@${host}:${port}`, "/"],
        [`rabbit://${host}:${port}/`, "/"],
        [`kombu://guest:guest@${host}:${port}//`, "/"],
      ] as const) {
        await using transport = getRpcTransport(url, { logger: null });
        expect(await transport.probe()).toMatchObject({ virtualHost });
      }
    });

    test("an unknown virtual host is refused by name, and so is one without permissions", async () => {
      const { node, virtualHost } = await rabbitMqBed("3.10.8");
      await node.evaluate(
        `rabbit_auth_backend_internal:clear_permissions(<<"guest">>, <<"${virtualHost}">>, <<"tests">>).`,
      );
      for (const name of ["green", virtualHost]) {
        await using transport = getRpcTransport(node.url(name), { logger: null });
        const call = getRpcClient(transport, { topic: "t" }).call({}, "where", {}, { timeoutMs: SHORT_MS });
        await expect(call).rejects.toMatchObject({
          name: "MessagingTimeout",
          phase: "connecting",
          cause: { name: "Amqp091Error", code: 530, text: expect.stringContaining(name) },
        });
      }
    });
  },
  { plans: [RABBITMQ] },
);

describe.each(["router", "broker"] as const)("Virtual hosts in the Open's hostname, at the embedded %s", (kind) => {
  test.each(["amqp+memory", "amqp"])(
    "virtual hosts in the Open's hostname separate servers and clients of the same topic, by %s",
    { tags: ["vhost:hostname", "intermediary:virtual-hosts"] },
    async (scheme) => {
      const intermediary = new Intermediary({ kind, virtualHosts: NAMES.filter((name) => name !== "") });
      const { accept } = intermediary;
      const tcp = await listenTcp({ host: "127.0.0.1", port: 0, maxConnections: 20, accept });
      const dialers = { "amqp+memory": memoryDial(accept) };
      const transportIn = (name: string) =>
        getRpcTransport(`${scheme}://127.0.0.1:${tcp.port}/${name}?pseudo_vhost=false`, { logger: null, dialers });
      try {
        expect(await answers(transportIn, NAMES)).toEqual([
          ...NAMES.slice(0, -1),
          { name: "MessagingTimeout", phase: kind === "broker" ? "reply" : "credit" },
        ]);
      } finally {
        await intermediary.close();
        await tcp.close();
      }
    },
  );

  test("an unknown virtual host is refused by name", {
    tags: ["vhost:hostname", "intermediary:virtual-hosts"],
  }, async () => {
    const intermediary = new Intermediary({ kind, virtualHosts: ["red"] });
    const dialers = { "amqp+memory": memoryDial(intermediary.accept) };
    await using transport = getRpcTransport("amqp+memory://embedded/green?pseudo_vhost=false", {
      logger: null,
      dialers,
    });
    const call = getRpcClient(transport, { topic: "t" }).call({}, "where", {}, { timeoutMs: SHORT_MS });
    await expect(call).rejects.toMatchObject({
      name: "MessagingTimeout",
      phase: "connecting",
      cause: { condition: "amqp:not-found", description: 'there is no virtual host "green"' },
    });
    await intermediary.close();
  });
});
