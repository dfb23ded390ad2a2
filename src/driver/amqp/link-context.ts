import type { Receiver, ReceiverInit } from "../../core/links/receiver.js";
import type { Sender, SenderInit } from "../../core/links/sender.js";
import type { RecurringWarnings } from "../../core/recurring-warnings.js";

/** The part of a connection that its links use. */
export interface LinkContext {
  readonly isOpen: boolean;
  readonly warnings: RecurringWarnings;
  openSender(init: SenderInit): Promise<Sender>;
  openReceiver(init: ReceiverInit): Promise<Receiver>;
  /**
   * A name that is unique on the connection, in the form of the Python driver: `openstack.org/om/ROLE/[ADDRESS]/ID`. A link
   * whose attach does not fit into the peer's frames is opened without `[ADDRESS]/`.
   */
  linkName(role: "sender" | "receiver", address: string): string;
  /** The wait before a lost link is attached again. Resolves after `link_retry_delay`, or when the connection ends. */
  pause(): Promise<void>;
  /**
   * Called when the link to this address is refused or detached, or cannot be attached again. The status reports it until
   * `restored` is called. `condition` identifies the warning; give it when the address is untrusted input.
   */
  refused(address: string, error: Error, condition?: string): void;
  /** Called when the link to this address is attached again or no longer needed. */
  restored(address: string): void;
  /** Closes the connection with this cause. The driver then connects again. */
  fail(error: Error): void;
}
