import { toHex } from "../core/types/bytes.js";

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

/** Addresses that begin alike and are distributed alike. */
export interface AddressClass {
  readonly addressing: "legacy" | "routable";
  /** What the addresses begin with, before the separator. */
  readonly prefix: string;
  readonly separator: "." | "/";
  readonly distribution: Distribution;
}

/**
 * The guide's three legacy and six routable prefixes (oslo_messaging/_drivers/amqp1_driver/addressing.py; the table of
 * doc/source/admin/AMQP1.0.rst).
 */
export function addressClasses(addressing: Addressing = {}): readonly AddressClass[] {
  return [...legacy(addressing), ...routable(addressing)];
}

/** How an address is distributed: the longest prefix that fits wins, any other address is balanced. */
export function distributions(addressing: Addressing = {}): (address: string) => Distribution {
  const classes = [...addressClasses(addressing)].sort((a, b) => b.prefix.length - a.prefix.length);
  return (address) => classOf(address, classes)?.distribution ?? "balanced";
}

/** The first of the classes that the address is of. */
export function classOf(address: string, classes: readonly AddressClass[]): AddressClass | undefined {
  return classes.find(({ prefix, separator }) => address.startsWith(prefix + separator));
}

/** An address that nobody can guess, for a node that lives as long as the link that asked for it. */
export function newDynamicAddress(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return DYNAMIC_PREFIX + toHex(bytes);
}

/** Whether the address is, or was, the one of a dynamic node. */
export function isDynamicAddress(address: string): boolean {
  return address.startsWith(DYNAMIC_PREFIX);
}

/** As it may be shown: who knows all of a dynamic one can send to it, and its beginning tells it from others. */
export function shownAddress(address: string): string {
  return isDynamicAddress(address) ? address.slice(0, DYNAMIC_PREFIX.length + 8) : address;
}

const DYNAMIC_PREFIX = "$dynamic/";

function legacy(addressing: Addressing): AddressClass[] {
  const of = (prefix: string, distribution: Distribution): AddressClass => {
    return { addressing: "legacy", prefix, separator: ".", distribution };
  };
  return [
    of(addressing.serverRequestPrefix ?? "exclusive", "closest"),
    of(addressing.broadcastPrefix ?? "broadcast", "multicast"),
    of(addressing.groupRequestPrefix ?? "unicast", "closest"),
  ];
}

function routable(addressing: Addressing): AddressClass[] {
  const services = [
    addressing.rpcAddressPrefix ?? "openstack.org/om/rpc",
    addressing.notifyAddressPrefix ?? "openstack.org/om/notify",
  ];
  return services.flatMap((service) => {
    const of = (word: string, distribution: Distribution): AddressClass => {
      return { addressing: "routable", prefix: `${service}/${word}`, separator: "/", distribution };
    };
    return [
      of(addressing.multicastAddress ?? "multicast", "multicast"),
      of(addressing.unicastAddress ?? "unicast", "closest"),
      of(addressing.anycastAddress ?? "anycast", "balanced"),
    ];
  });
}
