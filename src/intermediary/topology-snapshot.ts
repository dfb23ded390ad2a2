import type { AddressEntry, AddressTable, IntermediaryKind } from "./address-table.js";
import { shownAddress } from "./addresses.js";
import type { Client, Clients, LinkCounts } from "./clients.js";
import type { Topology, TopologyAddress, TopologyConnection, TopologyLinks } from "./topology.js";

/** Limits of a snapshot: it must fit a message whatever names the clients choose, and a picture can show no more. */
const MAX_CONNECTIONS = 1_000;
const MAX_ADDRESSES = 1_000;
const MAX_LINKS = 10_000;
const LONGEST_TEXT = 300;

export interface TopologySources {
  readonly kind: IntermediaryKind;
  readonly product: string;
  readonly clients: Clients;
  readonly addresses: AddressTable;
}

/** A snapshot of the clients and addresses. `watchers`: the clients that watch the topology. */
export function topologyOf(
  { kind, product, clients, addresses: table }: TopologySources,
  watchers: LinkCounts,
): Topology {
  const connections = first(clients, MAX_CONNECTIONS).map((client) => connectionOf(client, watchers.has(client)));
  const links = { left: MAX_LINKS, omitted: 0 };
  const addresses = first(table, MAX_ADDRESSES).map((entry) => addressOf(entry, links));
  const omitted = {
    connections: clients.size - connections.length,
    addresses: table.size - addresses.length,
    links: links.omitted,
  };
  return { kind, product, connections, addresses, omitted };
}

function connectionOf({ id, connection, username }: Client, watching: boolean): TopologyConnection {
  const { containerId, product, properties } = connection.remote;
  return {
    id,
    container: short(containerId),
    product: product && short(product),
    node: textOf(properties, "node"),
    process: textOf(properties, "process"),
    pid: textOf(properties, "pid"),
    user: username && short(username),
    watching,
  };
}

function addressOf(entry: AddressEntry, room: { left: number; omitted: number }): TopologyAddress {
  const linked = (counts: LinkCounts): TopologyLinks[] => {
    const shown = first(counts, room.left);
    room.left -= shown.length;
    room.omitted += counts.size - shown.length;
    return shown.map(([client, links]) => ({ connection: client.id, links }));
  };
  return {
    address: short(shownAddress(entry.address)),
    distribution: entry.distribution,
    dynamic: entry.dynamic,
    receivers: linked(entry.receivers),
    senders: linked(entry.senders),
    passed: entry.traffic.passed,
    waiting: entry.node.waiting,
  };
}

function textOf(properties: ReadonlyMap<string, string>, key: string): string | undefined {
  const text = properties.get(key);
  return text && short(text);
}

function short(text: string): string {
  return text.slice(0, LONGEST_TEXT);
}

function first<T>(items: Iterable<T>, limit: number): T[] {
  const taken: T[] = [];
  for (const item of items) {
    if (taken.length >= limit) break;
    taken.push(item);
  }
  return taken;
}
