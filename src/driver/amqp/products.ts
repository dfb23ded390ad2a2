import type { Peer } from "../driver.js";

/** How one kind of message bus wants to be spoken to. */
export interface Product {
  readonly kind: Peer["kind"];
  readonly addressing: "legacy" | "routable" | "rabbitmq";
  /** What a link asks for when it is attached, so that a broker that makes queues and topics on the fly makes the right one. */
  readonly capabilities: { readonly unicast: readonly string[]; readonly multicast: readonly string[] };
}

const NONE = { unicast: [], multicast: [] };

/** By the `product` in the properties of the peer's Open. Anycast wants what unicast wants. */
const PRODUCTS: ReadonlyMap<string, Product> = new Map<string, Product>([
  ["qpid-dispatch-router", { kind: "router", addressing: "routable", capabilities: NONE }],
  ["skupper-router", { kind: "router", addressing: "routable", capabilities: NONE }],
  ["oslo-messaging-router", { kind: "router", addressing: "routable", capabilities: NONE }],
  ["oslo-messaging-broker", { kind: "broker", addressing: "routable", capabilities: NONE }],
  ["qpid-cpp", { kind: "broker", addressing: "legacy", capabilities: NONE }],
  // An address with a slash means an exchange and a binding key there.
  ["Apache Qpid Broker-J Core", { kind: "broker", addressing: "legacy", capabilities: NONE }],
  // Without these a new address is multicast, whatever it is for.
  [
    "apache-activemq-artemis",
    { kind: "broker", addressing: "routable", capabilities: { unicast: ["queue"], multicast: ["topic"] } },
  ],
  ["RabbitMQ", { kind: "broker", addressing: "rabbitmq", capabilities: NONE }],
]);

/** As the Python driver: a peer that does not say what it is gets legacy addresses, one that nobody knows routable ones. */
export function productOf(name: string | undefined): Product {
  if (name === undefined) return { kind: "unknown", addressing: "legacy", capabilities: NONE };
  return PRODUCTS.get(name) ?? { kind: "unknown", addressing: "routable", capabilities: NONE };
}
