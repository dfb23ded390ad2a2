import type { Peer } from "../driver.js";

/** Requirements of one kind of message bus. */
export interface Product {
  readonly kind: Peer["kind"];
  readonly addressing: "legacy" | "routable";
  /** Capabilities that a link requests, so that a broker that creates nodes on demand creates a queue or a topic as needed. */
  readonly capabilities: { readonly unicast: readonly string[]; readonly multicast: readonly string[] };
  /** Set where only a sender can create a multicast node: the configuration that permits it, for an error message. */
  readonly multicastBySender?: string | undefined;
}

const NONE = { unicast: [], multicast: [] };

/** Products by the `product` property of the peer's Open. Anycast uses the capabilities of unicast. */
const PRODUCTS: ReadonlyMap<string, Product> = new Map<string, Product>([
  ["qpid-dispatch-router", { kind: "router", addressing: "routable", capabilities: NONE }],
  ["skupper-router", { kind: "router", addressing: "routable", capabilities: NONE }],
  ["oslo-messaging-router", { kind: "router", addressing: "routable", capabilities: NONE }],
  ["oslo-messaging-broker", { kind: "broker", addressing: "routable", capabilities: NONE }],
  ["qpid-cpp", { kind: "broker", addressing: "legacy", capabilities: NONE }],
  // Broker-J reads an address with a slash as an exchange and a binding key.
  [
    "Apache Qpid Broker-J Core",
    {
      kind: "broker",
      addressing: "legacy",
      capabilities: NONE,
      multicastBySender:
        "the virtual host needs the nodeAutoCreationPolicy of type Exchange in oslo-messaging recipe broker-j",
    },
  ],
  // Without these capabilities Artemis makes every new address multicast.
  [
    "apache-activemq-artemis",
    { kind: "broker", addressing: "routable", capabilities: { unicast: ["queue"], multicast: ["topic"] } },
  ],
]);

/** The product of this name. As in the Python driver, a peer without a name gets legacy addresses, an unknown product routable ones. */
export function productOf(name: string | undefined): Product {
  if (name === undefined) return { kind: "unknown", addressing: "legacy", capabilities: NONE };
  return PRODUCTS.get(name) ?? { kind: "unknown", addressing: "routable", capabilities: NONE };
}
