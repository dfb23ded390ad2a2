import { describe, expect, onTestFinished, test } from "vitest";
import type { Connection } from "@/src/core/connection/connection.js";
import { connect } from "@/src/core/connection/handshake.js";
import { isDynamicAddress } from "@/src/intermediary/addresses.js";
import type { IntermediaryOptions } from "@/src/intermediary/intermediary.js";
import {
  TOPOLOGY_ADDRESS,
  TOPOLOGY_CAPABILITY,
  type Topology,
  type TopologyAddress,
} from "@/src/intermediary/topology.js";
import { memoryDial } from "@/src/transports/memory.js";
import { type BedConsumer, IntermediaryBed, textMessage } from "@/test/fixtures/beds/intermediary-bed.js";

const KINDS = ["router", "broker"] as const;
const UNSETTLED = { settled: false };

describe.each(KINDS)("the topology of a %s", (kind) => {
  test("the topology has the intermediary's kind and product, and the connections, the watcher's own included", async () => {
    const bed = makeBed({ kind, product: "own" });
    const topology = await look(bed, await bed.connect());
    expect(topology).toEqual({
      kind,
      product: "own",
      connections: [{ id: "1", container: "client 0", watching: true }],
      addresses: [],
      omitted: { connections: 0, addresses: 0, links: 0 },
    });
  });

  test("the topology has the clients' properties and user names, and no password", async () => {
    const bed = makeBed({ kind, users: new Map([["joe", "secret word"]]) });
    const credentials = { username: "joe", password: "secret word" };
    const properties = { product: "p", node: "host-a", process: "nova", pid: 4711, other: "x" };
    const to = { scheme: "amqp", hostname: "h", port: 5672 };
    const options = { containerId: "c", properties, sasl: { credentials } };
    const client = await connect(memoryDial(bed.intermediary.accept), to, options, AbortSignal.timeout(5_000));
    const topology = await look(bed, await bed.connect(credentials));
    expect(topology.connections[0]).toEqual({
      id: "1",
      container: "c",
      product: "p",
      node: "host-a",
      process: "nova",
      pid: "4711",
      user: "joe",
      watching: false,
    });
    expect(JSON.stringify(topology)).not.toContain("secret");
    await client.close();
  });

  test("the topology has the clients' links until they are detached or their connection is closed", async () => {
    const bed = makeBed({ kind });
    const [watcher, first, second] = [await bed.connect(), await bed.connect(), await bed.connect()];
    const { receiver } = await bed.consumer(first, "a");
    await bed.consumer(first, "a");
    await bed.consumer(second, "a");
    await bed.producer(second, "a");
    const { next } = await watch(bed, watcher);
    expect(addressOf(await next(), "a")).toEqual({
      address: "a",
      distribution: "balanced",
      dynamic: false,
      receivers: [
        { connection: "2", links: 2 },
        { connection: "3", links: 1 },
      ],
      senders: [{ connection: "3", links: 1 }],
      passed: 0,
      waiting: 0,
    });
    await receiver.close();
    expect(addressOf(await next(), "a").receivers).toContainEqual({ connection: "2", links: 1 });
    await second.close();
    const after = await next();
    expect(after.connections.map(({ id }) => id)).toEqual(["1", "2"]);
    expect(addressOf(after, "a")).toMatchObject({ receivers: [{ connection: "2", links: 1 }], senders: [] });
    await first.close();
    expect(await next()).toMatchObject({ connections: [{ id: "1" }], addresses: [] });
    await bed.connect();
    expect((await next()).connections.map(({ id }) => id)).toEqual(["1", "4"]);
  });

  test("the topology counts the messages sent to consumers, a multicast one once for each consumer", async () => {
    const bed = makeBed({ kind });
    const client = await bed.connect();
    const one = "openstack.org/om/rpc/anycast/e/t";
    const all = "openstack.org/om/rpc/multicast/e/t";
    for (const address of [one, all]) {
      const consumers = [await bed.consumer(client, address), await bed.consumer(client, address)];
      for (const consumer of consumers) accepting(consumer);
      const producer = await bed.producer(client, address);
      for (const text of ["x", "y", "z"]) await producer.send(textMessage(text), UNSETTLED);
    }
    const topology = await look(bed, client);
    expect(addressOf(topology, one)).toMatchObject({ distribution: "balanced", passed: 3 });
    expect(addressOf(topology, all)).toMatchObject({ distribution: "multicast", passed: 6 });
  });

  test("the topology shows only the beginning of a dynamic address, so that no watcher can send to it", async () => {
    const bed = makeBed({ kind });
    const client = await bed.connect();
    const { receiver } = await bed.consumer(client, undefined);
    const { addresses } = await look(bed, client);
    expect(addresses).toMatchObject([{ dynamic: true, receivers: [{ connection: "1", links: 1 }] }]);
    const shown = addresses[0]?.address ?? "";
    expect(isDynamicAddress(shown)).toBe(true);
    expect(receiver.source?.address?.startsWith(shown)).toBe(true);
    expect(shown.length).toBeLessThan(20);
  });

  test("each virtual host has its own topology", async () => {
    const bed = makeBed({ kind, virtualHosts: ["red"] });
    const [usual, red] = [await bed.connect(), await bed.connect(undefined, "red")];
    await bed.consumer(usual, "for the usual");
    await bed.consumer(red, "for red");
    const seen = [await look(bed, usual), await look(bed, red)];
    expect(seen.map(({ connections }) => connections.map(({ container }) => container))).toEqual([
      ["client 0"],
      ["client 1"],
    ]);
    expect(seen.map(({ addresses }) => addresses.map(({ address }) => address))).toEqual([
      ["for the usual"],
      ["for red"],
    ]);
  });

  test("a link that sends to the topology is refused", async () => {
    const bed = makeBed({ kind });
    const client = await bed.connect();
    await expect(bed.producer(client, TOPOLOGY_ADDRESS)).rejects.toMatchObject({
      condition: "amqp:not-allowed",
      description: "$topology is receive-only",
    });
  });

  test("the source of a link to the topology has the topology's capability", async () => {
    const bed = makeBed({ kind });
    const client = await bed.connect();
    const [its, another] = [await bed.consumer(client, TOPOLOGY_ADDRESS), await bed.consumer(client, "$other")];
    expect(its.receiver.source?.capabilities).toEqual([TOPOLOGY_CAPABILITY]);
    expect(another.receiver.source?.capabilities).toEqual([]);
  });

  test("a link to the topology counts towards the limit of links", async () => {
    const bed = makeBed({ kind, limits: { linksPerConnection: 1 } });
    const client = await bed.connect();
    const { receiver } = await bed.consumer(client, TOPOLOGY_ADDRESS);
    await expect(bed.consumer(client, TOPOLOGY_ADDRESS)).rejects.toMatchObject({
      condition: "amqp:resource-limit-exceeded",
    });
    await receiver.close();
    await bed.consumer(client, TOPOLOGY_ADDRESS);
  });

  test("the topology is cut at its limits, and counts the omitted items", async () => {
    const bed = makeBed({ kind });
    const [client, watcher] = [await bed.connect(), await bed.connect()];
    const addresses = Array.from({ length: 1_003 }, (_, index) => `address ${index} ${"ä".repeat(500)}`);
    await Promise.all(addresses.map((address) => bed.producer(client, address)));
    const topology = await look(bed, watcher);
    expect(topology.addresses).toHaveLength(1_000);
    expect(topology.addresses[999]?.address).toBe(addresses[999]?.slice(0, 300));
    expect(topology.omitted).toEqual({ connections: 0, addresses: 3, links: 0 });
  });
});

test("a broker's topology counts waiting messages: stored, or sent and unsettled", async () => {
  const bed = makeBed({ kind: "broker" });
  const client = await bed.connect();
  const producer = await bed.producer(client, "a");
  for (const text of ["x", "y", "z"]) await producer.send(textMessage(text), UNSETTLED);
  const { next } = await watch(bed, client);
  expect(addressOf(await next(), "a")).toMatchObject({ receivers: [], passed: 0, waiting: 3 });
  const { inbox } = await bed.consumer(client, "a", 2);
  const [one] = [await inbox.next(), await inbox.next()];
  one.accept();
  await until(next, (topology) => addressOf(topology, "a").waiting === 0 || addressOf(topology, "a").passed === 3);
  const last = await inbox.next();
  last.accept();
});

test("an address of a broker without links stays in the topology while it has messages", async () => {
  const bed = makeBed({ kind: "broker" });
  const client = await bed.connect();
  const producer = await bed.producer(client, "a");
  await producer.send(textMessage("x"), UNSETTLED);
  await producer.close();
  const { addresses } = await look(bed, client);
  expect(addresses).toMatchObject([{ address: "a", receivers: [], senders: [], waiting: 1 }]);
});

test("a router's topology counts the messages that receivers have not settled", async () => {
  const bed = makeBed({ kind: "router" });
  const client = await bed.connect();
  for (const address of ["balanced", "broadcast.a"]) {
    const { inbox } = await bed.consumer(client, address, 2);
    const producer = await bed.producer(client, address);
    const sending = producer.send(textMessage("x"), UNSETTLED);
    const delivery = await inbox.next();
    const { next } = await watch(bed, client);
    expect(addressOf(await next(), address)).toMatchObject({ passed: 1, waiting: 1 });
    delivery.accept();
    await sending;
    await until(next, (topology) => addressOf(topology, address).waiting === 0);
  }
});

test("a closed intermediary leaves no timer of its topology behind", async () => {
  const bed = makeBed({ kind: "router" });
  const client = await bed.connect();
  const { receiver } = await bed.consumer(client, TOPOLOGY_ADDRESS);
  await bed.intermediary.close();
  await client.closed;
  expect(receiver.attached).toBe(false);
  expect(process.getActiveResourcesInfo()).not.toContain("Interval");
});

function makeBed(options: IntermediaryOptions): IntermediaryBed {
  const bed = new IntermediaryBed(options);
  onTestFinished(() => bed.close());
  return bed;
}

interface Watch {
  /** Resolves with the next snapshot. */
  next: () => Promise<Topology>;
  consumer: BedConsumer;
}

async function watch(bed: IntermediaryBed, connection: Connection): Promise<Watch> {
  const consumer = await bed.consumer(connection, TOPOLOGY_ADDRESS, 1);
  const next = async (): Promise<Topology> => {
    const delivery = await consumer.inbox.next();
    delivery.accept();
    const { contentType, body } = delivery.message;
    expect([delivery.settled, contentType]).toEqual([true, "application/json"]);
    return JSON.parse(new TextDecoder().decode(body?.type === "data" ? body.bytes : undefined));
  };
  return { next, consumer };
}

/** Receives one snapshot. */
async function look(bed: IntermediaryBed, connection: Connection): Promise<Topology> {
  const { next, consumer } = await watch(bed, connection);
  const topology = await next();
  await consumer.receiver.close();
  return topology;
}

async function until(next: Watch["next"], matches: (topology: Topology) => boolean): Promise<void> {
  while (!matches(await next()));
}

function addressOf({ addresses }: Topology, address: string): TopologyAddress {
  const found = addresses.find((each) => each.address === address);
  if (found === undefined) throw new Error(`${address} is not among ${addresses.map((each) => each.address)}`);
  return found;
}

function accepting({ inbox }: BedConsumer): void {
  void inbox.next().then((delivery) => {
    delivery.accept();
    accepting({ inbox } as BedConsumer);
  });
}
