import type { Log } from "../../core/recurring-warnings.js";
import type { Peer } from "../driver.js";
import type { ConsumerChannel } from "./broker-connection.js";
import type { Declarer } from "./declarer.js";

/** The part of a connection that its consumers use. */
export interface ConsumerContext extends Log {
  readonly isOpen: boolean;
  /** Resolves when the connection is over. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  readonly peer: Peer;
  readonly declarer: Pick<Declarer, "declareQueue" | "deleteQueue">;
  /** See {@link BrokerConnection}. */
  openConsumers(prefetch: number): Promise<ConsumerChannel>;
  /** The wait before a queue is consumed again. Resolves after `kombu_reconnect_delay`, or when the connection ends. */
  pause(): Promise<void>;
  /** Called when this queue is not consumed, for this reason. A warning is logged, and the status reports it until `restored`. */
  refused(queue: string, error: Error): void;
  /** Called when this queue is consumed again or no longer needed. */
  restored(queue: string): void;
}
