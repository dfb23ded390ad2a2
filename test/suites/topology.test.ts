import { expect, test } from "vitest";
import { type Topology, type TopologyAddress, watchTopology } from "@/src/entry/intermediary-node.js";
import { MessagingException } from "@/src/entry/node.js";
import { type Bed, overEveryBed } from "@/test/fixtures/beds/bed.js";
import { Deferred } from "@/test/fixtures/stages/deferred.js";
import { Stage } from "@/test/fixtures/stages/stage.js";

overEveryBed("the topology", (bed) => {
  if (bed.embedded) tellsItsTopology(bed);
  else tellsNone(bed);
});

function tellsItsTopology(bed: Bed): void {
  test("shows servers, listeners and what reaches them", async () => {
    await using stage = new Stage(bed, "topology");
    const noted = new Deferred();
    const endpoint = { greet: () => "hello", note: () => noted.resolve() };
    for (const server of ["a", "b"]) await stage.serve(server, [endpoint]);
    await stage.listen([{ info: () => undefined }]);
    const client = await stage.client();
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

function tellsNone(bed: Bed): void {
  test("is not to be had, which is said", async () => {
    await expect(until(bed, () => true)).rejects.toThrow(MessagingException);
    await expect(until(bed, () => true)).rejects.toThrow(
      /\$topology: not an embedded intermediary of oslo-messaging \(product: \S+\)$/,
    );
  });
}

/** The first one that is wanted. */
async function until(bed: Bed, isIt: (topology: Topology) => boolean): Promise<Topology> {
  for await (const topology of watchTopology(bed.url, bed.options)) {
    if (isIt(topology)) return topology;
  }
  throw new Error("the watch ended without a reason");
}

/** How many copies of messages to all servers of the topic have gone to them. */
function fanouts({ addresses }: Topology, stage: Stage): number | undefined {
  return addresses.find(({ address, distribution }) => isAbout(address, stage) && distribution === "multicast")?.passed;
}

function isAbout(address: TopologyAddress["address"], { topic }: Stage): boolean {
  return address.includes(topic);
}
