import type { Topology, TopologyAddress } from "oslo-messaging/intermediary";
import { addressName } from "./address-name.js";

/** An address in the picture. All priorities of a notification topic are one address. */
export interface PictureAddress {
  name: string;
  kind: string;
  /** Ids of connections. */
  senders: ReadonlySet<string>;
  receivers: ReadonlySet<string>;
  passed: number;
  waiting: number;
}

export interface PictureClient {
  id: string;
  name: string;
  /** Process and node of the client, or its product. */
  about: string;
}

/** Senders on the left, listeners on the right, addresses in the middle. A client that does both is on both sides. */
export interface PictureModel {
  senders: readonly PictureClient[];
  addresses: readonly PictureAddress[];
  receivers: readonly PictureClient[];
}

/** Returns the picture of a topology. Places clients near their addresses, so that few lines cross. */
export function pictureOf(topology: Topology, withReplies: boolean): PictureModel {
  const shown = topology.addresses.filter(({ dynamic }) => withReplies || !dynamic);
  const addresses = groups(shown).map(grouped).toSorted(byKind);
  const side = (members: (address: PictureAddress) => ReadonlySet<string>): PictureClient[] => {
    const heights = new Map<string, number>();
    for (const { id } of topology.connections) {
      const places = addresses.flatMap((address, index) => (members(address).has(id) ? [index] : []));
      if (places.length > 0) heights.set(id, places.reduce((sum, place) => sum + place, 0) / places.length);
    }
    return topology.connections
      .filter(({ id }) => heights.has(id))
      .toSorted((a, b) => (heights.get(a.id) ?? 0) - (heights.get(b.id) ?? 0))
      .map(({ id, container, product, node, process }) => ({
        id,
        name: container,
        about: [process, node].filter(Boolean).join(" on ") || product || "",
      }));
  };
  return { senders: side(({ senders }) => senders), addresses, receivers: side(({ receivers }) => receivers) };
}

function groups(addresses: readonly TopologyAddress[]): TopologyAddress[][] {
  const byKey = new Map<string, TopologyAddress[]>();
  for (const address of addresses) {
    const key = keyOf(address);
    byKey.set(key, [...(byKey.get(key) ?? []), address]);
  }
  return [...byKey.values()];
}

function keyOf({ address, dynamic }: TopologyAddress): string {
  const { name, kind } = addressName(address, dynamic);
  return kind === "notifications" ? `${kind} ${name}` : address;
}

function grouped(group: readonly TopologyAddress[]): PictureAddress {
  const [first] = group;
  if (first === undefined) throw new RangeError("a group must have at least one address");
  const { name, kind } = addressName(first.address, first.dynamic);
  const sum = (count: (address: TopologyAddress) => number): number =>
    group.reduce((all, each) => all + count(each), 0);
  const ids = (links: (address: TopologyAddress) => TopologyAddress["senders"]): Set<string> =>
    new Set(group.flatMap((address) => links(address).map(({ connection }) => connection)));
  return {
    name,
    kind,
    senders: ids(({ senders }) => senders),
    receivers: ids(({ receivers }) => receivers),
    passed: sum(({ passed }) => passed),
    waiting: sum(({ waiting }) => waiting),
  };
}

/** Sorts RPC before other addresses, notifications and replies, then by name. */
function byKind(a: PictureAddress, b: PictureAddress): number {
  const rank = ({ kind }: PictureAddress): number =>
    kind === "replies" ? 3 : kind === "notifications" ? 2 : kind === "address" ? 1 : 0;
  return rank(a) - rank(b) || a.name.localeCompare(b.name);
}
