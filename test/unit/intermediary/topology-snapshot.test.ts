import { expect, test } from "vitest";
import type { Connection } from "@/src/core/connection/connection.js";
import { RecurringWarnings } from "@/src/core/recurring-warnings.js";
import { AddressTable } from "@/src/intermediary/address-table.js";
import { distributions } from "@/src/intermediary/addresses.js";
import { Budget } from "@/src/intermediary/budget.js";
import { Clients, LinkCounts } from "@/src/intermediary/clients.js";
import { topologyOf } from "@/src/intermediary/topology-snapshot.js";
import { FakeLogger } from "@/test/fixtures/fakes/fake-links.js";

/** JSON escapes each of its characters as six. */
const NAME = "\u0001".repeat(2_000);

test("a snapshot over the limits is cut, counts the omitted items, and fits a message in the worst case", () => {
  const clients = new Clients();
  for (let count = 0; count < 1_002; count++) clients.add(fakeConnection(), NAME);
  const init = { distributionOf: distributions(), budget: new Budget({ messages: 1, bytes: 1 }) };
  const addresses = new AddressTable({ kind: "broker", warnings: new RecurringWarnings(new FakeLogger()), ...init });
  for (let count = 0; count < 1_003; count++) {
    const { receivers, senders } = addresses.at(`${count} ${NAME}`);
    let links = 0;
    for (const client of clients) {
      if (links === 12) break;
      links++;
      receivers.add(client);
      senders.add(client);
    }
  }
  const topology = topologyOf({ kind: "broker", product: "p", clients, addresses }, new LinkCounts());
  expect(topology.connections).toHaveLength(1_000);
  expect(topology.addresses).toHaveLength(1_000);
  expect(topology.addresses[0]?.receivers).toHaveLength(12);
  expect(topology.addresses[999]?.senders).toEqual([]);
  expect(topology.omitted).toEqual({ connections: 2, addresses: 3, links: 1_000 * 24 - 10_000 });
  expect(JSON.stringify(topology).length).toBeLessThan(16 * 1024 * 1024);
});

/** A connection whose client sends names of the greatest length. */
function fakeConnection(): Connection {
  const properties = new Map(["node", "process", "pid"].map((key) => [key, NAME]));
  const remote = { containerId: NAME, product: NAME, properties };
  return { remote, closed: new Promise(() => {}) } as unknown as Connection;
}
