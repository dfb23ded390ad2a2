import type { WaitPhase } from "../../core/deadlines.js";
import type { Peer } from "../driver.js";

/**
 * The likely reason of a timeout without a known cause, for an error message. `kind` is that of the connected peer;
 * undefined without a connection. Undefined when the phase already names the reason.
 */
export function likelyReason(phase: WaitPhase, kind: Peer["kind"] | undefined, isReply: boolean): string | undefined {
  switch (phase) {
    case "connecting":
      return kind === undefined ? "the host has not answered yet" : "the peer has not attached the link for replies";
    case "credit":
      return isReply ? "the caller may have disconnected" : withoutCredit(kind);
    case "reply":
      return kind === "router" ? SLOW_METHOD : `no server may be listening, or ${SLOW_METHOD}`;
    case "acknowledgement":
    case "heartbeat":
      return undefined;
    default:
      return phase satisfies never;
  }
}

const SLOW_METHOD = "the method may take longer than the timeout";

/** Why a peer grants no credit for an address. */
export function withoutCredit(kind: Peer["kind"] | undefined): string {
  if (kind === "router") return NO_RECEIVER;
  return kind === "broker" ? FULL : `behind a router ${NO_RECEIVER}; behind a broker ${FULL}`;
}

const NO_RECEIVER =
  "no receiver is attached to this address (a server that is not started, another topic or virtual host), or each is busy";
const FULL = "the address may be full";
