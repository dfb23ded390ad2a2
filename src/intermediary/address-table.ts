import type { Logger } from "../core/logger.js";
import { type Distribution, isDynamicAddress } from "./addresses.js";
import { BalancedRoute } from "./balanced-route.js";
import type { Budget } from "./budget.js";
import { LinkCounts } from "./clients.js";
import { MulticastRoute } from "./multicast-route.js";
import type { Node, NodeInit, Traffic } from "./node.js";
import { Queue } from "./queue.js";
import { Topic } from "./topic.js";

/** Direct, or store and forward. */
export type IntermediaryKind = "router" | "broker";

export interface AddressTableInit {
  readonly kind: IntermediaryKind;
  readonly distributionOf: (address: string) => Distribution;
  readonly budget: Budget;
  readonly logger: Logger;
}

/** An address in use: the node behind it, and who has links to it. */
export interface AddressEntry {
  readonly address: string;
  readonly distribution: Distribution;
  readonly dynamic: boolean;
  readonly node: Node;
  readonly traffic: Traffic;
  readonly receivers: LinkCounts;
  readonly senders: LinkCounts;
}

/** All addresses in use, the oldest first. */
export class AddressTable implements Iterable<AddressEntry> {
  readonly #init: AddressTableInit;
  readonly #entries = new Map<string, AddressEntry>();

  constructor(init: AddressTableInit) {
    this.#init = init;
  }

  get size(): number {
    return this.#entries.size;
  }

  [Symbol.iterator](): Iterator<AddressEntry> {
    return this.#entries.values();
  }

  has(address: string): boolean {
    return this.#entries.has(address);
  }

  /** The entry of the address, made if there is none. It stays until its node is unused: a link has to be added at once. */
  at(address: string, temporary = false): AddressEntry {
    const present = this.#entries.get(address);
    if (present !== undefined) return present;
    const traffic = { passed: 0 };
    const distribution = this.#init.distributionOf(address);
    const entry: AddressEntry = {
      address,
      distribution,
      dynamic: isDynamicAddress(address),
      node: this.#make(distribution, {
        address,
        temporary,
        traffic,
        budget: this.#init.budget,
        logger: this.#init.logger,
        onUnused: () => {
          if (this.#entries.get(address) === entry) this.#entries.delete(address);
        },
      }),
      traffic,
      receivers: new LinkCounts(),
      senders: new LinkCounts(),
    };
    this.#entries.set(address, entry);
    return entry;
  }

  #make(distribution: Distribution, init: NodeInit): Node {
    const { kind } = this.#init;
    const toEvery = distribution === "multicast";
    switch (kind) {
      case "router":
        return toEvery ? new MulticastRoute(init) : new BalancedRoute(init);
      case "broker":
        return toEvery ? new Topic(init) : new Queue(init);
      default:
        return kind satisfies never;
    }
  }
}
