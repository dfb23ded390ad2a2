import type { RecurringWarnings } from "../core/recurring-warnings.js";
import { type Distribution, isDynamicAddress } from "./addresses.js";
import { BalancedRoute } from "./balanced-route.js";
import type { Budget } from "./budget.js";
import { LinkCounts } from "./clients.js";
import { MulticastRoute } from "./multicast-route.js";
import type { Node, NodeInit, Traffic } from "./node.js";
import { Queue } from "./queue.js";
import { Topic } from "./topic.js";

/** `router`: forwards directly. `broker`: stores and forwards. */
export type IntermediaryKind = "router" | "broker";

export interface AddressTableInit {
  readonly kind: IntermediaryKind;
  readonly distributionOf: (address: string) => Distribution;
  readonly budget: Budget;
  readonly warnings: RecurringWarnings;
}

/** An address in use: the node behind it, and the number of links that each client has to it. */
export interface AddressEntry {
  readonly address: string;
  readonly distribution: Distribution;
  readonly dynamic: boolean;
  readonly node: Node;
  readonly traffic: Traffic;
  readonly receivers: LinkCounts;
  readonly senders: LinkCounts;
  /** Largest message that the consumer of a dynamic node accepts, in bytes. Undefined: no limit, or not known here. */
  consumerMaxBytes: number | undefined;
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

  /**
   * The entry of the address, created on first use. It is deleted when its node becomes unused: the caller must add a
   * link at once.
   */
  at(address: string, temporary = false): AddressEntry {
    const existing = this.#entries.get(address);
    if (existing !== undefined) return existing;
    const traffic = { passed: 0 };
    const distribution = this.#init.distributionOf(address);
    const entry: AddressEntry = {
      address,
      distribution,
      dynamic: isDynamicAddress(address),
      node: this.#createNode(distribution, {
        address,
        temporary,
        traffic,
        budget: this.#init.budget,
        warnings: this.#init.warnings,
        onUnused: () => {
          if (this.#entries.get(address) === entry) this.#entries.delete(address);
        },
      }),
      traffic,
      receivers: new LinkCounts(),
      senders: new LinkCounts(),
      consumerMaxBytes: undefined,
    };
    this.#entries.set(address, entry);
    return entry;
  }

  #createNode(distribution: Distribution, init: NodeInit): Node {
    const { kind } = this.#init;
    const multicast = distribution === "multicast";
    switch (kind) {
      case "router":
        return multicast ? new MulticastRoute(init) : new BalancedRoute(init);
      case "broker":
        return multicast ? new Topic(init) : new Queue(init);
      default:
        return kind satisfies never;
    }
  }
}
