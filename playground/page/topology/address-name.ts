export interface AddressName {
  /** What it is called by its topic. */
  name: string;
  /** What it is for. */
  kind: string;
}

const RPC: Readonly<Record<string, string>> = {
  anycast: "RPC, any server",
  multicast: "RPC, every server",
  unicast: "RPC, one server",
};

/** How oslo.messaging's default addresses read; any other address is its own name. The exchange is left out if it is the default. */
export function addressName(address: string, dynamic: boolean): AddressName {
  if (dynamic) return { name: `${address.slice(0, 14)}…`, kind: "replies" };
  const [, service, word = "", rest = ""] = /^openstack\.org\/om\/(rpc|notify)\/(\w+)\/(.+)$/.exec(address) ?? [];
  const name = rest.replace(/^openstack\//, "");
  if (service === "rpc") return { name, kind: RPC[word] ?? "RPC" };
  // The priority is the last part of the topic. They are many, and mostly the same people's.
  if (service === "notify") return { name: name.replace(/\.\w+$/, ""), kind: "notifications" };
  return { name: address, kind: "address" };
}
