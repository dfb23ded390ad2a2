import type { RecurringWarnings } from "../core/recurring-warnings.js";
import type { Budget } from "./budget.js";
import type { ConsumerLink, OpenProducerLink } from "./links.js";

/**
 * The queue, topic or route behind one address. Created for the address's first link; calls `onUnused` when it is no
 * longer needed.
 */
export interface Node {
  /** Number of messages held for consumers, including those that are sent and not settled. */
  readonly waiting: number;
  addProducer(open: OpenProducerLink): void;
  addConsumer(link: ConsumerLink): void;
}

/** Traffic of an address since it came into use. */
export interface Traffic {
  /** Number of messages sent to consumers; a message sent to three consumers counts as three. */
  passed: number;
}

export interface NodeInit {
  readonly address: string;
  /** The node is deleted when its only consumer detaches. */
  readonly temporary: boolean;
  /** Bounds the messages that the node holds. */
  readonly budget: Budget;
  /** Counts the messages that the node's consumers are sent. */
  readonly traffic: Traffic;
  readonly warnings: RecurringWarnings;
  /** Called when the node has no link and holds no message. */
  readonly onUnused: () => void;
}
