import { AmqpError } from "../../core/errors.js";
import type { Outcome } from "../../core/messages/outcome.js";

export type FailedOutcome = Exclude<Outcome, { type: "accepted" }>;

/** True when the message can be sent again without the risk of a duplicate: it was not sent, or the peer did not process it. */
export function mayResend(outcome: FailedOutcome): boolean {
  if (outcome.type === "modified") return !outcome.deliveryFailed && !outcome.undeliverableHere;
  return outcome.type === "unsent" || outcome.type === "released";
}

/** The reason of a failed outcome, for an error message. */
export function outcomeReason(outcome: FailedOutcome): string {
  switch (outcome.type) {
    case "released":
      return "released by the peer";
    case "modified":
      return `modified by the peer (delivery failed: ${outcome.deliveryFailed}, undeliverable here: ${outcome.undeliverableHere})`;
    case "rejected":
      return outcome.error === undefined ? "the peer gave no reason" : new AmqpError(outcome.error).message;
    case "unsent":
    case "unknown":
      return outcome.error.message;
    default:
      return outcome satisfies never;
  }
}

/** The error behind a failed outcome. */
export function outcomeCause(outcome: FailedOutcome): Error | undefined {
  if (outcome.type === "unsent" || outcome.type === "unknown") return outcome.error;
  return outcome.type === "rejected" && outcome.error !== undefined ? new AmqpError(outcome.error) : undefined;
}
