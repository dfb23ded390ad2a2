import type { Log } from "../../core/recurring-warnings.js";
import type { Route } from "./topology.js";

/** Declares the exchanges, and the queues of notifications, before the first message. */
export interface RouteDeclarer {
  /** True when `declareRoute` has nothing to do. */
  isDeclared(route: Route): boolean;
  /** Throws DeclarationRefused when the broker refuses it, and another error when the connection ends. */
  declareRoute(route: Route): Promise<void>;
  /** Called when an exchange does not exist any more. */
  forget(exchange: string): void;
}

/** The part of a connection that its publishers use. */
export interface PublishingContext extends Pick<Log, "warnings"> {
  readonly isOpen: boolean;
  /** Error of the messages that the connection can no longer send. */
  readonly lost: Error;
  readonly declarer: RouteDeclarer;
  /** Resolves after `kombu_reconnect_delay`, or when the connection ends. */
  pause(): Promise<void>;
  /** Called when messages cannot be sent to this address. The status reports it until `restored` is called. */
  refused(address: string, error: Error): void;
  restored(address: string): void;
}
