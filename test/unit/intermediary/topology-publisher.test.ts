import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
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

describe("whoever watches", () => {
  test("gets a snapshot at the first credit, settled", () => {
    const watcher = new FakeConsumer(setUp().board);
    expect(watcher.received).toEqual([]);
    watcher.give(1);
    expect(watcher.received.map(({ settled }) => settled)).toEqual([true]);
    expect(addressesOf(watcher)).toEqual([[]]);
  });

  test("gets the next one when something has changed, and none when nothing has", async () => {
    const { board, use } = setUp();
    const watcher = new FakeConsumer(board, 10);
    await pass(10);
    expect(addressesOf(watcher)).toEqual([[]]);
    use("a");
    await pass(10);
    expect(addressesOf(watcher)).toEqual([[], ["a"]]);
  });

  test("gets four a second at most, however much happens", async () => {
    const { board, use } = setUp();
    const watcher = new FakeConsumer(board, 1000);
    for (let change = 0; change < 100; change++) {
      use(`address ${change}`);
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(watcher.received).toHaveLength(1 + 4);
  });

  test("gets, having given no credit for long, the newest only", async () => {
    const { board, use } = setUp();
    const watcher = new FakeConsumer(board, 1);
    for (const address of ["a", "b", "c"]) {
      use(address);
      await pass(2);
    }
    expect(watcher.received).toHaveLength(1);
    watcher.give(10);
    expect(addressesOf(watcher)).toEqual([[], ["a", "b", "c"]]);
  });

  test("gets nothing new while the one before has not left", async () => {
    const { board, use } = setUp();
    const watcher = new FakeConsumer(board, 10);
    watcher.queued = 10;
    use("a");
    await pass(1);
    expect(watcher.received).toHaveLength(1);
    watcher.queued = 0;
    await pass(1);
    expect(addressesOf(watcher)).toEqual([[], ["a"]]);
  });

  test("gets nothing new, whatever its credit, before it has answered, where it asked to", async () => {
    const { board, use } = setUp();
    const watcher = new FakeConsumer(board, 1_000, "unsettled");
    for (const address of ["a", "b", "c"]) {
      use(address);
      await pass(2);
    }
    expect(watcher.received).toHaveLength(1);
    await watcher.answer(0, { type: "accepted" });
    await pass(1);
    expect(addressesOf(watcher)).toEqual([[], ["a", "b", "c"]]);
  });

  test("gets, where somebody watches already, nothing that is older than itself", async () => {
    const { board, use } = setUp();
    const first = new FakeConsumer(board, 10);
    use("a");
    const second = new FakeConsumer(board, 10);
    expect(second.received).toEqual([]);
    await pass(1);
    expect([first, second].map(addressesOf)).toEqual([[[], ["a"]], [["a"]]]);
  });
});

describe("the intermediary looks", () => {
  test("only while somebody watches", async () => {
    const { board, looks } = setUp();
    await pass(4);
    expect(looks()).toBe(0);
    const watchers = [new FakeConsumer(board, 1), new FakeConsumer(board, 1)];
    await pass(4);
    expect(looks()).toBe(1 + 4);
    for (const watcher of watchers) await watcher.vanish();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("no more often because many come and go", async () => {
    const { board, looks } = setUp();
    for (let count = 0; count < 100; count++) void new FakeConsumer(board, 1).vanish();
    expect(looks()).toBe(1);
    await pass(1);
    new FakeConsumer(board, 1);
    expect(looks()).toBe(2);
  });
});

function setUp() {
  const init = { distributionOf: distributions(), budget: new Budget({ messages: 10, bytes: 10 }) };
  const addresses = new AddressTable({ kind: "router", logger: new FakeLogger(), ...init });
  const looking = vi.spyOn(addresses, Symbol.iterator);
  const board = new TopologyPublisher({ kind: "router", product: "p", clients: new Clients(), addresses });
  const use = (address: string): void => void new FakeProducer(addresses.at(address).node);
  return { board, use, looks: () => looking.mock.calls.length };
}

async function pass(periods: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(periods * PERIOD_MS);
}

/** Of every snapshot that it was sent. */
function addressesOf(watcher: FakeConsumer): string[][] {
  return watcher.texts.map((text) => {
    const topology: Topology = JSON.parse(text.slice(text.indexOf('{"kind"')));
    return topology.addresses.map(({ address }) => address);
  });
}
