/** The [oslo_messaging_amqp] options that shape addresses, by the names that the driver has for them. */
export interface Addressing {
  /** Routable: `openstack.org/om/rpc`. */
  rpcAddressPrefix?: string | undefined;
  /** Routable: `openstack.org/om/notify`. */
  notifyAddressPrefix?: string | undefined;
  /** Routable, the word behind the prefix: `multicast`. */
  multicastAddress?: string | undefined;
  /** Routable: `unicast`. */
  unicastAddress?: string | undefined;
  /** Routable: `anycast`. */
  anycastAddress?: string | undefined;
  /** Legacy, to one server: `exclusive`. */
  serverRequestPrefix?: string | undefined;
  /** Legacy, to all servers: `broadcast`. */
  broadcastPrefix?: string | undefined;
  /** Legacy, to any server: `unicast`. */
  groupRequestPrefix?: string | undefined;
}

/**
 * Who gets a message, in the words of the deployment guide. Seen from a single intermediary all consumers are equally
 * near: a closest address is served as a balanced one.
 */
export type Distribution = "closest" | "balanced" | "multicast";

/**
 * The guide's three legacy and six routable prefixes (oslo_messaging/_drivers/amqp1_driver/addressing.py; the table of
 * doc/source/admin/AMQP1.0.rst). The longest prefix that fits wins, any other address is balanced.
 */
export function distributions(addressing: Addressing = {}): (address: string) => Distribution {
  const rules = [...legacy(addressing), ...routable(addressing)].sort((a, b) => b.prefix.length - a.prefix.length);
  return (address) => rules.find(({ prefix }) => address.startsWith(prefix))?.distribution ?? "balanced";
}

/** An address that nobody can guess, for a node that lives as long as the link that asked for it. */
export function newDynamicAddress(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return DYNAMIC_PREFIX + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whether the address is, or was, the one of a dynamic node. */
export function isDynamicAddress(address: string): boolean {
  return address.startsWith(DYNAMIC_PREFIX);
}

const DYNAMIC_PREFIX = "$dynamic/";

interface Rule {
  prefix: string;
  distribution: Distribution;
}

function legacy(addressing: Addressing): Rule[] {
  return [
    { prefix: `${addressing.serverRequestPrefix ?? "exclusive"}.`, distribution: "closest" },
    { prefix: `${addressing.broadcastPrefix ?? "broadcast"}.`, distribution: "multicast" },
    { prefix: `${addressing.groupRequestPrefix ?? "unicast"}.`, distribution: "closest" },
  ];
}

function routable(addressing: Addressing): Rule[] {
  const services = [
    addressing.rpcAddressPrefix ?? "openstack.org/om/rpc",
    addressing.notifyAddressPrefix ?? "openstack.org/om/notify",
  ];
  return services.flatMap((service): Rule[] => [
    { prefix: `${service}/${addressing.multicastAddress ?? "multicast"}/`, distribution: "multicast" },
    { prefix: `${service}/${addressing.unicastAddress ?? "unicast"}/`, distribution: "closest" },
    { prefix: `${service}/${addressing.anycastAddress ?? "anycast"}/`, distribution: "balanced" },
  ]);
}
