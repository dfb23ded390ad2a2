import { describe, expect, test } from "vitest";
import { getRpcClient, getRpcServer, getRpcTransport } from "@/src/entry/node.js";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { BUSES, type BusAddressing } from "@/test/fixtures/beds/bus-plan.js";
import { Host, type HostScheme } from "@/test/fixtures/beds/restartable-host.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { Frames } from "@/test/fixtures/stages/frame-recorder.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { notifierOf, recorder, type Seen } from "@/test/fixtures/stages/notification-endpoints.js";
import type { Stage } from "@/test/fixtures/stages/stage.js";
import { withStage } from "@/test/fixtures/stages/suite-test.js";

/** Every option of addresses that the intermediary needs too. */
const PREFIXES = {
  rpcAddressPrefix: "cloud/rpc",
  notifyAddressPrefix: "cloud/events",
  multicastAddress: "all",
  unicastAddress: "one",
  anycastAddress: "any",
  serverRequestPrefix: "own",
  broadcastPrefix: "every",
  groupRequestPrefix: "some",
};
const EXCHANGES = { defaultRpcExchange: "rpc-exchange", defaultNotificationExchange: "events-exchange" };

/** Addresses of a topic by mode, without and with these options. */
const USUAL: Record<BusAddressing, (topic: string) => Addresses> = {
  routable: (topic) => ({
    direct: `openstack.org/om/rpc/unicast/openstack/${topic}/a`,
    fanout: `openstack.org/om/rpc/multicast/openstack/${topic}`,
    shared: `openstack.org/om/rpc/anycast/openstack/${topic}`,
    notifications: `openstack.org/om/notify/anycast/openstack/${topic}.info`,
  }),
  legacy: (topic) => ({
    direct: `exclusive.openstack.${topic}.a`,
    fanout: `broadcast.openstack.${topic}.all`,
    shared: `unicast.openstack.${topic}`,
    notifications: `unicast.openstack.${topic}.info`,
  }),
};
const CHOSEN: typeof USUAL = {
  routable: (topic) => ({
    direct: `cloud/rpc/one/rpc-exchange/${topic}/a`,
    fanout: `cloud/rpc/all/rpc-exchange/${topic}`,
    shared: `cloud/rpc/any/rpc-exchange/${topic}`,
    notifications: `cloud/events/any/events-exchange/${topic}.info`,
  }),
  legacy: (topic) => ({
    direct: `own.openstack.${topic}.a`,
    fanout: `every.openstack.${topic}.all`,
    shared: `some.openstack.${topic}`,
    notifications: `some.openstack.${topic}.info`,
  }),
};

interface Addresses {
  direct: string;
  fanout: string;
  shared: string;
  notifications: string;
}

describe.concurrent("Addresses", () => {
  overEveryBed(
    "of the default form",
    (bed) => {
      const test = withStage(bed);

      test("default addresses carry service, delivery, exchange and topic, and each delivery reaches its receivers", {
        tags: ["addressing:routable", "addressing:legacy"],
      }, async ({ stage, skip }) => {
        bed.needs("multicasts", { skip });
        bed.needs("usualAddresses", { skip });
        const { addressing = "routable" } = bed.plan;
        await expectDeliveries(stage, USUAL[addressing], {});
      });
    },
    { plans: BUSES },
  );

  overEveryBed(
    "with other prefixes",
    (bed) => {
      const test = withStage(bed);

      test("addresses have the prefixes and exchanges of the options, and each delivery reaches its receivers", {
        tags: ["addressing:options"],
      }, async ({ stage, skip }) => {
        bed.needs("multicasts", { skip });
        bed.needs("usualAddresses", { skip });
        bed.needs("takesAnyAddress", { skip });
        const { addressing = "routable" } = bed.plan;
        await expectDeliveries(stage, CHOSEN[addressing], { ...PREFIXES, ...EXCHANGES });
      });
    },
    { plans: BUSES, addressing: PREFIXES },
  );
});

describe.concurrent.each(["amqp", "amqp+ws"] satisfies HostScheme[])(
  "The dynamic addressing mode over %s",
  (scheme) => {
    test.each([
      ["router", undefined, "openstack.org/om/rpc/anycast/openstack/t"],
      ["broker", "something-new", "openstack.org/om/rpc/anycast/openstack/t"],
      ["broker", "qpid-cpp", "unicast.openstack.t"],
      ["router", "qpid-cpp", "unicast.openstack.t"],
    ] as const)(
      "the dynamic mode for a %s with the product %s uses the address %s",
      { tags: ["addressing:dynamic"] },
      async (kind, product, address) => {
        await using host = await Host.reserve(scheme);
        await host.start({ kind, product });
        const frames = new Frames();
        await using transport = getRpcTransport(`${scheme}://${host.name}/`, { logger: null, onFrame: frames.onFrame });
        await getRpcServer(transport, { topic: "t", server: "a" }, [new BlockingEndpoint()]).start();
        expect(await getRpcClient(transport, { topic: "t" }).call({}, "echo", { arg: "x" })).toBe("x");
        await frames.passed("out", "attach", `"${address}"`);
      },
    );
  },
);

/** Two servers, a listener and their senders, each on its own connection. */
async function expectDeliveries(
  stage: Stage,
  addressesOf: (topic: string) => Addresses,
  amqp: Partial<typeof PREFIXES & typeof EXCHANGES>,
): Promise<void> {
  const addresses = addressesOf(stage.topic);
  const noted = new Inbox<string>("the servers");
  for (const server of ["a", "b"]) {
    const note = (_context: object, { text }: { text: string }) => noted.put(`${text} at ${server}`);
    await stage.serve(server, [{ note, which: () => server }], { transport: stage.rpcTransport({ amqp }) });
  }
  const frames = new Frames();
  const client = await stage.client({ transport: stage.rpcTransport({ amqp, onFrame: frames.onFrame }) });

  for (const server of ["a", "b"]) {
    expect(await client.prepare({ server }).call({}, "which")).toBe(server);
  }
  await client.prepare({ fanout: true }).cast({}, "note", { text: "fanout" });
  for (const server of ["a", "b"]) await noted.take(server, (text) => text === `fanout at ${server}` || undefined);
  const shared = await Promise.all([1, 2, 3, 4].map(() => client.call({}, "which")));
  expect(new Set(shared)).toEqual(new Set(["a", "b"]));
  expect(noted.unread).toEqual([]);
  for (const address of [addresses.direct, addresses.fanout, addresses.shared]) {
    await frames.passed("out", "attach", `"${address}"`);
  }

  const seen = new Inbox<Seen>("the listener");
  await stage.listen([recorder(seen)], { transport: stage.notificationTransport({ amqp }) });
  await notifierOf(stage, {}, { amqp, onFrame: frames.onFrame }).info({}, "event", {});
  await seen.take("the event", ({ eventType }) => eventType === "event" || undefined);
  await frames.passed("out", "attach", `"${addresses.notifications}"`);
}
