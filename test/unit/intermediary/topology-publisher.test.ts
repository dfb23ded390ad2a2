import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { RecurringWarnings } from "@/src/core/recurring-warnings.js";
import { AddressTable } from "@/src/intermediary/address-table.js";
import { distributions } from "@/src/intermediary/addresses.js";
import { Budget } from "@/src/intermediary/budget.js";
import { Clients } from "@/src/intermediary/clients.js";
import type { Topology } from "@/src/intermediary/topology.js";
import { TopologyPublisher } from "@/src/intermediary/topology-publisher.js";
import { FakeConsumer, FakeLogger, FakeProducer } from "@/test/fixtures/fakes/fake-links.js";

const PERIOD_MS = 250;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe("a watcher", () => {
  test("a watcher gets a settled snapshot at its first credit", () => {
    const watcher = new FakeConsumer(setUp().publisher);
    expect(watcher.received).toEqual([]);
    watcher.give(1);
    expect(watcher.received.map(({ settled }) => settled)).toEqual([true]);
    expect(addressesOf(watcher)).toEqual([[]]);
  });

  test("a watcher gets the next snapshot after a change, and none without one", async () => {
    const { publisher, use } = setUp();
    const watcher = new FakeConsumer(publisher, 10);
    await pass(10);
    expect(addressesOf(watcher)).toEqual([[]]);
    use("a");
    await pass(10);
    expect(addressesOf(watcher)).toEqual([[], ["a"]]);
  });

  test("a watcher gets at most four snapshots a second, however many changes there are", async () => {
    const { publisher, use } = setUp();
    const watcher = new FakeConsumer(publisher, 1000);
    for (let change = 0; change < 100; change++) {
      use(`address ${change}`);
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(watcher.received).toHaveLength(1 + 4);
  });

  test("a watcher that gives credit late gets only the newest snapshot", async () => {
    const { publisher, use } = setUp();
    const watcher = new FakeConsumer(publisher, 1);
    for (const address of ["a", "b", "c"]) {
      use(address);
      await pass(2);
    }
    expect(watcher.received).toHaveLength(1);
    watcher.give(10);
    expect(addressesOf(watcher)).toEqual([[], ["a", "b", "c"]]);
  });

  test("a watcher gets no snapshot while the previous one is queued", async () => {
    const { publisher, use } = setUp();
    const watcher = new FakeConsumer(publisher, 10);
    watcher.queued = 10;
    use("a");
    await pass(1);
    expect(watcher.received).toHaveLength(1);
    watcher.queued = 0;
    await pass(1);
    expect(addressesOf(watcher)).toEqual([[], ["a"]]);
  });

  test("a watcher that settles itself gets no snapshot before it has settled the previous one", async () => {
    const { publisher, use } = setUp();
    const watcher = new FakeConsumer(publisher, 1_000, "unsettled");
    for (const address of ["a", "b", "c"]) {
      use(address);
      await pass(2);
    }
    expect(watcher.received).toHaveLength(1);
    await watcher.answer(0, { type: "accepted" });
    await pass(1);
    expect(addressesOf(watcher)).toEqual([[], ["a", "b", "c"]]);
  });

  test("a second watcher gets no snapshot from before it attached", async () => {
    const { publisher, use } = setUp();
    const first = new FakeConsumer(publisher, 10);
    use("a");
    const second = new FakeConsumer(publisher, 10);
    expect(second.received).toEqual([]);
    await pass(1);
    expect([first, second].map(addressesOf)).toEqual([[[], ["a"]], [["a"]]]);
  });
});

describe("snapshots", () => {
  test("snapshots are taken only while there is a watcher", async () => {
    const { publisher, snapshots } = setUp();
    await pass(4);
    expect(snapshots()).toBe(0);
    const watchers = [new FakeConsumer(publisher, 1), new FakeConsumer(publisher, 1)];
    await pass(4);
    expect(snapshots()).toBe(1 + 4);
    for (const watcher of watchers) await watcher.vanish();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("many short-lived watchers cause no extra snapshots", async () => {
    const { publisher, snapshots } = setUp();
    for (let count = 0; count < 100; count++) void new FakeConsumer(publisher, 1).vanish();
    expect(snapshots()).toBe(1);
    await pass(1);
    new FakeConsumer(publisher, 1);
    expect(snapshots()).toBe(2);
  });
});

function setUp() {
  const init = { distributionOf: distributions(), budget: new Budget({ messages: 10, bytes: 10 }) };
  const addresses = new AddressTable({ kind: "router", warnings: new RecurringWarnings(new FakeLogger()), ...init });
  const iterate = vi.spyOn(addresses, Symbol.iterator);
  const publisher = new TopologyPublisher({ kind: "router", product: "p", clients: new Clients(), addresses });
  const use = (address: string): void => void new FakeProducer(addresses.at(address).node);
  return { publisher, use, snapshots: () => iterate.mock.calls.length };
}

async function pass(periods: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(periods * PERIOD_MS);
}

/** The addresses of every snapshot that the watcher was sent. */
function addressesOf(watcher: FakeConsumer): string[][] {
  return watcher.texts.map((text) => {
    const topology: Topology = JSON.parse(text.slice(text.indexOf('{"kind"')));
    return topology.addresses.map(({ address }) => address);
  });
}
