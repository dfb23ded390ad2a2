import type { WaitPhase } from "../../core/deadlines.js";
import type { Peer } from "../driver.js";

/**
 * The likely reason of a timeout without a known cause, for an error message. `kind` is that of the connected peer. Undefined
 * when the phase names the reason.
 */
export function likelyReason(phase: WaitPhase, kind: Peer["kind"] | undefined, isReply: boolean): string | undefined {
  if (phase === "connecting" && kind === undefined) return "no answer from the host yet";
  if (phase === "credit") return isReply ? "the caller may have disconnected" : withoutCredit(kind);
  if (phase !== "reply") return undefined;
  return `${kind === "router" ? "" : "no server may be listening, or "}the method may take longer than the timeout`;
}

/** Why a peer grants no credit for an address. */
export function withoutCredit(kind: Peer["kind"] | undefined): string {
  if (kind === "router") return NO_RECEIVER;
  return kind === "broker" ? FULL : `${NO_RECEIVER}; behind a broker, ${FULL}`;
}

const NO_RECEIVER =
  "no receiver is attached to this address (a server that is not started, another topic or virtual host), or each is busy";
const FULL = "the address may be full";
