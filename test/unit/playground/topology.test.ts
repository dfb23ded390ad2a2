import { describe, expect, it } from "vitest";
import { addressName } from "@/playground/page/topology/address-name.js";
import { pictureOf } from "@/playground/page/topology/picture-model.js";
import type { Topology, TopologyAddress } from "@/src/intermediary/topology.js";

const links = (...ids: string[]) => ids.map((connection) => ({ connection, links: 1 }));
const address = (name: string, members: Partial<TopologyAddress>): TopologyAddress => {
  const none = { distribution: "balanced", dynamic: false, receivers: [], senders: [], passed: 0, waiting: 0 } as const;
  return { address: name, ...none, ...members };
};

const topology: Topology = {
  kind: "router",
  product: "a router",
  connections: ["client", "server", "listener", "idle"].map((container, index) => {
    return { id: `${index}`, container, process: "p", node: "n", watching: false };
  }),
  addresses: [
    address("openstack.org/om/notify/anycast/openstack/notifications.info", { receivers: links("2"), passed: 2 }),
    address("openstack.org/om/notify/anycast/openstack/notifications.warn", { receivers: links("2"), passed: 3 }),
    address("openstack.org/om/rpc/anycast/openstack/demo", { senders: links("0"), receivers: links("1"), waiting: 4 }),
    address("$dynamic/0123456789abcdef", { senders: links("1"), receivers: links("0"), dynamic: true }),
  ],
  omitted: { connections: 0, addresses: 0, links: 0 },
};

describe("pictureOf and addressName", () => {
  it("the picture of a topology has only clients that send or listen: senders on the left, listeners on the right", () => {
    const { senders, receivers } = pictureOf(topology, false);
    expect(senders.map(({ name }) => name)).toEqual(["client"]);
    expect(receivers.map(({ name, about }) => [name, about])).toEqual([
      ["server", "p on n"],
      ["listener", "p on n"],
    ]);
  });

  it("the picture of a topology has one address for all priorities of a notification topic, after RPC", () => {
    const { addresses } = pictureOf(topology, false);
    expect(addresses).toMatchObject([
      { name: "demo", kind: "RPC, any server", waiting: 4 },
      { name: "notifications", kind: "notifications", passed: 5 },
    ]);
  });

  it("the picture of a topology includes reply addresses on request", () => {
    const { addresses, senders } = pictureOf(topology, true);
    expect(addresses.at(-1)).toMatchObject({ kind: "replies" });
    expect(senders.map(({ name }) => name)).toEqual(["client", "server"]);
  });

  it.each([
    ["openstack.org/om/rpc/multicast/openstack/demo", { name: "demo", kind: "RPC, every server" }],
    ["openstack.org/om/rpc/unicast/nova/compute/host-1", { name: "nova/compute/host-1", kind: "RPC, one server" }],
    ["unicast.openstack.demo", { name: "unicast.openstack.demo", kind: "address" }],
  ])(
    "the address %s is named after its topic and purpose if it follows oslo.messaging's default format",
    (text, name) => {
      expect(addressName(text, false)).toEqual(name);
    },
  );
});
