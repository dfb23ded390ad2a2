import type { Topology, TopologyAddress } from "oslo-messaging/intermediary";
import { byId, counted, element } from "../parts/elements.js";

/** Table with everything that the intermediary publishes about its addresses. */
export class TopologyTable {
  readonly #body = byId("topology-table", HTMLTableElement).tBodies[0];

  show({ connections, addresses }: Topology): void {
    const names = new Map(connections.map(({ id, container }) => [id, container]));
    const nameOf = (id: string): string => names.get(id) ?? `connection ${id}`;
    this.#body?.replaceChildren(...addresses.map((address) => rowOf(address, nameOf)));
  }

  clear(): void {
    this.#body?.replaceChildren();
  }
}

function rowOf(address: TopologyAddress, nameOf: (id: string) => string): HTMLElement {
  const names = (links: TopologyAddress["senders"]): string =>
    links.map(({ connection }) => nameOf(connection)).join(", ") || "none";
  const cells = [
    address.address,
    address.distribution,
    names(address.senders),
    names(address.receivers),
    counted(address.passed),
    counted(address.waiting),
  ];
  return element("tr", "", ...cells.map((cell) => element("td", "", cell)));
}
