import type { Logger } from "../core/logger.js";
import type { Budget } from "./budget.js";
import type { ConsumerLink, OpenInlet } from "./links.js";

/** What stands behind one address. It is made when its first link is, and says when nobody needs it any more. */
export interface Node {
  addProducer(open: OpenInlet): void;
  addConsumer(link: ConsumerLink): void;
}

export interface NodeInit {
  readonly address: string;
  /** It goes with its only consumer. */
  readonly temporary: boolean;
  /** Bounds what it may hold. */
  readonly budget: Budget;
  readonly logger: Logger;
  /** It has no link any more and holds nothing. */
  readonly onUnused: () => void;
}
