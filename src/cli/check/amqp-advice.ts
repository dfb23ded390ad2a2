import type { DriverConnection } from "../../driver/amqp/driver-connection.js";
import { type AddressClass, addressClasses, classOf } from "../../intermediary/addresses.js";
import { RECIPE_OF_PRODUCT } from "../../recipes/recipes.js";

/** The missing configuration of an address whose distribution is wrong. */
export function adviceOnDistribution(bus: DriverConnection, address: string, toAll: boolean): string {
  const { prefix, recipe } = about(bus, address);
  const not = toAll ? "are not multicast here" : "do not lead to exactly one listener here";
  return `addresses that begin with ${prefix} ${not}${stanza(bus, address, toAll)}; ${see(recipe)}`;
}

/** The possible reason why an address can neither be sent to nor received from. */
export function adviceOnRefusal(bus: DriverConnection, address: string): string {
  const { prefix, recipe } = about(bus, address);
  return `addresses that begin with ${prefix} must be known here, and open to who connects; ${see(recipe)}`;
}

/** The missing configuration of an intermediary that drops expired messages. */
export function adviceOnExpiry(bus: DriverConnection, address: string): string {
  const { prefix, known, recipe } = about(bus, address);
  const { separator = "/" } = known ?? {};
  const missing =
    recipe === "artemis" ? `: broker.xml wants <address-setting match="${prefix}${separator}#"> with no-expiry` : "";
  return `messages to addresses that begin with ${prefix} must not expire here${missing}; ${see(recipe)}`;
}

/** The warning for an address where listeners cannot attach before a sender. This library's servers attach one first. */
export function warningOnListeners(bus: DriverConnection, address: string): string {
  const { prefix } = about(bus, address);
  return `Python's servers cannot attach to an address that begins with ${prefix} before something has been sent there`;
}

/** The address's prefix in the intermediary's configuration, its class, and the recipe for the intermediary. */
function about(
  bus: DriverConnection,
  address: string,
): { prefix: string; known: AddressClass | undefined; recipe: string | undefined } {
  const known = classOf(address, addressClasses(bus.addresser.options));
  return { prefix: known?.prefix ?? address, known, recipe: RECIPE_OF_PRODUCT.get(bus.product ?? "") };
}

function stanza(bus: DriverConnection, address: string, toAll: boolean): string {
  const { prefix, known, recipe } = about(bus, address);
  switch (recipe) {
    case "qdrouterd":
    case "skrouterd":
      return `: the configuration wants address { prefix: ${prefix} distribution: ${known?.distribution ?? "balanced"} }`;
    case "qpidd":
      return `: qpidd.conf wants ${toAll ? "topic" : "queue"}-patterns=${prefix}`;
    case "artemis":
      return `: broker.xml wants <address-setting match="${prefix}${known?.separator ?? "/"}#"> with the routing type ${toAll ? "MULTICAST" : "ANYCAST"}`;
    case "broker-j":
      return `: the virtual host wants a nodeAutoCreationPolicy for them, ${toAll ? "an Exchange of type fanout" : "a Queue"}`;
    default:
      return "";
  }
}

function see(recipe: string | undefined): string {
  return `see oslo-messaging recipe ${recipe ?? "--help"}`;
}
