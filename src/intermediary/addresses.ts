import { toHex } from "../core/types/bytes.js";

/** The [oslo_messaging_amqp] options that shape addresses, under the driver's names for them. */
export interface Addressing {
  /** Routable. Default `openstack.org/om/rpc`. */
  rpcAddressPrefix?: string | undefined;
  /** Routable. Default `openstack.org/om/notify`. */
  notifyAddressPrefix?: string | undefined;
  /** Routable: the word after the prefix. Default `multicast`. */
  multicastAddress?: string | undefined;
  /** Routable: the word after the prefix. Default `unicast`. */
  unicastAddress?: string | undefined;
  /** Routable: the word after the prefix. Default `anycast`. */
  anycastAddress?: string | undefined;
  /** Legacy, to one server. Default `exclusive`. */
  serverRequestPrefix?: string | undefined;
  /** Legacy, to all servers. Default `broadcast`. */
  broadcastPrefix?: string | undefined;
  /** Legacy, to any server. Default `unicast`. */
  groupRequestPrefix?: string | undefined;
}

/**
 * The distribution of an address among its consumers, in the words of the deployment guide. To a single intermediary
 * all consumers are equally near, so it treats `closest` as `balanced`.
 */
export type Distribution = "closest" | "balanced" | "multicast";

/** Addresses that share a prefix and a distribution. */
export interface AddressClass {
  readonly addressing: "legacy" | "routable";
  /** The beginning of the addresses, before the separator. */
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

/** Returns the distribution of an address: that of the longest matching prefix, or `balanced` if no prefix matches. */
export function distributions(addressing: Addressing = {}): (address: string) => Distribution {
  const classes = [...addressClasses(addressing)].sort((a, b) => b.prefix.length - a.prefix.length);
  return (address) => classOf(address, classes)?.distribution ?? "balanced";
}

/** The first class whose prefix the address has. */
export function classOf(address: string, classes: readonly AddressClass[]): AddressClass | undefined {
  return classes.find(({ prefix, separator }) => address.startsWith(prefix + separator));
}

/** An address that cannot be guessed, for a node that lives as long as the link that asked for it. */
export function newDynamicAddress(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return DYNAMIC_PREFIX + toHex(bytes);
}

/** Whether the address belongs, or belonged, to a dynamic node. */
export function isDynamicAddress(address: string): boolean {
  return address.startsWith(DYNAMIC_PREFIX);
}

/**
 * The address in the form that may be shown. A dynamic address is cut: a client that knows all of it can send to it,
 * and its beginning is enough to tell it from others.
 */
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
