import type { Logger } from "../core/logger.js";
import type { Budget } from "./budget.js";
import type { ConsumerLink, OpenProducerLink } from "./links.js";

/** What stands behind one address. It is made when its first link is, and says when nobody needs it any more. */
export interface Node {
  /** How many messages it holds for consumers, those that they have not answered among them. */
  readonly waiting: number;
  addProducer(open: OpenProducerLink): void;
  addConsumer(link: ConsumerLink): void;
}

/** What has gone through an address since it came into use. */
export interface Traffic {
  /** How many messages were sent to consumers, each counted for each of them. */
  passed: number;
}

export interface NodeInit {
  readonly address: string;
  /** It goes with its only consumer. */
  readonly temporary: boolean;
  /** Bounds what it may hold. */
  readonly budget: Budget;
  /** Every consumer counts in it. */
  readonly traffic: Traffic;
  readonly logger: Logger;
  /** It has no link any more and holds nothing. */
  readonly onUnused: () => void;
}
