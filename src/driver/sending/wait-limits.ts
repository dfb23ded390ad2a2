import type { DeadlineInit, WaitPhase } from "../../core/deadlines.js";
import type { ListenLimits, Peer } from "../driver.js";
import { type MessagingException, MessagingTimeout } from "../exceptions.js";
import { likelyReason } from "./likely-reason.js";
import { transportClosed } from "./operations.js";

export interface WaitInit extends ListenLimits {
  operation: "connect" | "listen";
  /** What is waited for, for errors. */
  target: string;
  /** The reason why the peer refuses it at present. */
  refusal?: (() => Error | undefined) | undefined;
}

/** The operations of a driver, and the connections that the operation waits for. */
export interface WaitContext {
  readonly operations: { readonly closed: boolean };
  readonly connections: {
    readonly host: { readonly name: string } | undefined;
    readonly lastError: Error | undefined;
    readonly live: { readonly peer: Pick<Peer, "kind"> } | undefined;
  };
}

/** The limits of an operation that sends no message. Its timeout has the last failure as its cause. */
export function waitLimits(
  { operations, connections }: WaitContext,
  { operation, target, signal, timeoutMs, refusal }: WaitInit,
): DeadlineInit {
  const expired = (phase: WaitPhase, elapsedMs: number): MessagingException => {
    if (operations.closed) return transportClosed();
    const { host, lastError, live } = connections;
    const cause = lastError ?? refusal?.();
    return new MessagingTimeout({
      operation,
      target,
      phase,
      address: undefined,
      host: host?.name,
      timeoutMs,
      elapsedMs,
      cause,
      explanation: cause === undefined ? likelyReason(phase, live?.peer.kind, false) : undefined,
    });
  };
  return { signal, ms: timeoutMs, expired };
}
