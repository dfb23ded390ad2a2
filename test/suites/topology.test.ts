import { expect, test } from "vitest";
import { Deferred } from "@/src/core/deferred.js";
import { type Topology, type TopologyAddress, watchTopology } from "@/src/entry/intermediary-node.js";
import { MessagingException } from "@/src/entry/node.js";
import { AMQP_1_0, type Bed, overEveryBed } from "@/test/fixtures/beds/bed.js";
import type { Stage } from "@/test/fixtures/stages/stage.js";
import { withStage } from "@/test/fixtures/stages/suite-test.js";

overEveryBed(
  "The topology",
  (bed) => {
    if (bed.embedded) reportsTopology(bed);
    else reportsNone(bed);
  },
  { plans: AMQP_1_0 },
);

function reportsTopology(bed: Bed): void {
  const test = withStage(bed);

  test("the topology of an embedded intermediary shows servers, listeners and the messages that reach them", async ({
    stage,
    client,
  }) => {
    const noted = new Deferred();
    const endpoint = { greet: () => "hello", note: () => noted.resolve() };
    for (const server of ["a", "b"]) await stage.serve(server, [endpoint]);
    await stage.listen([{ info: () => undefined }]);
    for (let count = 0; count < 4; count++) await client.call({}, "greet");
    await client.prepare({ fanout: true }).cast({}, "note");
    await noted.promise;
    const { kind, connections, addresses } = await until(bed, (seen) => fanouts(seen, stage) === 2);
    expect(kind).toBe(bed.kind);
    expect(connections.filter(({ watching }) => watching)).toHaveLength(1);
    expect(connections.filter(({ process }) => process === undefined)).toEqual([]);
    const ids = connections.map(({ id }) => id);
    const linked = addresses.flatMap(({ receivers, senders }) => [...receivers, ...senders]);
    expect(linked.filter(({ connection }) => !ids.includes(connection))).toEqual([]);
    const topic = addresses.filter(
      ({ address, distribution }) => isAbout(address, stage) && distribution !== "multicast",
    );
    expect(topic.reduce((total, address) => total + address.passed, 0)).toBe(4);
    expect(addresses.filter(({ dynamic }) => dynamic).map((replies) => replies.passed)).toContain(4);
  });
}

function reportsNone(bed: Bed): void {
  test("watching the topology of another product fails with the reason", async () => {
    await expect(until(bed, () => true)).rejects.toThrow(MessagingException);
    await expect(until(bed, () => true)).rejects.toThrow(
      /\$topology: not an embedded intermediary of oslo-messaging \(product: \S+\)$/,
    );
  });
}

/** First topology that fulfils the condition. */
async function until(bed: Bed, condition: (topology: Topology) => boolean): Promise<Topology> {
  for await (const topology of watchTopology(bed.url, bed.options)) {
    if (condition(topology)) return topology;
  }
  throw new Error("the watch ended without a reason");
}

/** Number of fanout copies that have reached servers of the topic. */
function fanouts({ addresses }: Topology, stage: Stage): number | undefined {
  return addresses.find(({ address, distribution }) => isAbout(address, stage) && distribution === "multicast")?.passed;
}

function isAbout(address: TopologyAddress["address"], { topic }: Stage): boolean {
  return address.includes(topic);
}
