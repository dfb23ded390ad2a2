export interface AddressName {
  /** Topic of the address, with the exchange unless it is the default, and with the server if it has one. */
  name: string;
  /** Purpose of the address, such as `RPC, any server`. */
  kind: string;
}

const RPC: Readonly<Record<string, string>> = {
  anycast: "RPC, any server",
  multicast: "RPC, every server",
  unicast: "RPC, one server",
};

/**
 * Returns the name and kind of one of oslo.messaging's default addresses. The default exchange is omitted. Any other address
 * is its own name.
 */
export function addressName(address: string, dynamic: boolean): AddressName {
  if (dynamic) return { name: `${address.slice(0, 14)}…`, kind: "replies" };
  const [, service, word = "", rest = ""] = /^openstack\.org\/om\/(rpc|notify)\/(\w+)\/(.+)$/.exec(address) ?? [];
  const name = rest.replace(/^openstack\//, "");
  if (service === "rpc") return { name, kind: RPC[word] ?? "RPC" };
  // Remove the priority, the last part of the topic: the addresses of all priorities mostly have the same clients.
  if (service === "notify") return { name: name.replace(/\.\w+$/, ""), kind: "notifications" };
  return { name: address, kind: "address" };
}
