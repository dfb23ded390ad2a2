import type { Logger } from "../core/logger.js";
import type { Distribution } from "./addresses.js";
import { BalancedRoute } from "./balanced-route.js";
import type { Budget } from "./budget.js";
import { MulticastRoute } from "./multicast-route.js";
import type { Node, NodeInit } from "./node.js";
import { Queue } from "./queue.js";
import { Topic } from "./topic.js";

/** Direct, or store and forward. */
export type IntermediaryKind = "router" | "broker";

export interface NodesInit {
  readonly kind: IntermediaryKind;
  readonly distributionOf: (address: string) => Distribution;
  readonly budget: Budget;
  readonly logger: Logger;
}

/** All addresses in use. */
export class Nodes {
  readonly #init: NodesInit;
  readonly #nodes = new Map<string, Node>();

  constructor(init: NodesInit) {
    this.#init = init;
  }

  get size(): number {
    return this.#nodes.size;
  }

  has(address: string): boolean {
    return this.#nodes.has(address);
  }

  /** The node at the address, made if there is none. It stays until it is unused: a link has to be added at once. */
  at(address: string, temporary = false): Node {
    const present = this.#nodes.get(address);
    if (present !== undefined) return present;
    const node = this.#make(address, temporary, () => {
      if (this.#nodes.get(address) === node) this.#nodes.delete(address);
    });
    this.#nodes.set(address, node);
    return node;
  }

  #make(address: string, temporary: boolean, onUnused: () => void): Node {
    const { kind, distributionOf, budget, logger } = this.#init;
    const init: NodeInit = { address, temporary, budget, logger, onUnused };
    const toEvery = distributionOf(address) === "multicast";
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
