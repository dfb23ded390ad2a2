import type { Channel } from "../../amqp091/channel.js";
import type { Log } from "../../core/recurring-warnings.js";
import type { Declarer } from "./declarer.js";

/** The part of a connection that its publishers use. */
export interface PublishingContext extends Pick<Log, "warnings"> {
  readonly isOpen: boolean;
  /** Error of the messages that the connection can no longer send. */
  readonly lost: Error;
  readonly declarer: Declarer;
  openChannel(): Promise<Channel>;
  /** Resolves after `kombu_reconnect_delay`, or when the connection ends. */
  pause(): Promise<void>;
  /** Called when messages cannot be sent to this address. The status reports it until `restored` is called. */
  refused(address: string, error: Error): void;
  restored(address: string): void;
}
