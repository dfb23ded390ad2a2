import { AmqpError, type AmqpErrorInit } from "../../core/errors.js";
import { isError } from "../../core/kinds.js";
import type { Outcome } from "../../core/messages/outcome.js";

/** The broker had no queue for a message that it was asked to return. */
export interface Returned {
  readonly type: "returned";
  readonly exchange: string;
  readonly routingKey: string;
  /** The reason of the broker. */
  readonly replyText: string;
}

/** The outcome of sending a message, by any protocol. */
export type SendOutcome =
  | Exclude<Outcome, { type: "rejected" }>
  | { readonly type: "rejected"; readonly error: AmqpErrorInit | Error | undefined }
  | Returned;

export type FailedOutcome = Exclude<SendOutcome, { type: "accepted" }>;

/**
 * True when the message can be sent again: it was not sent, or the peer did not process it. One of unknown fate too, where
 * receivers recognise a repeat.
 */
export function mayResend(outcome: FailedOutcome, repeatsAreRecognised: boolean): boolean {
  if (outcome.type === "modified") return !outcome.deliveryFailed && !outcome.undeliverableHere;
  if (outcome.type === "unknown") return repeatsAreRecognised;
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
      return errorOf(outcome.error)?.message ?? "the peer gave no reason";
    case "returned":
      return outcome.replyText;
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
  return outcome.type === "rejected" ? errorOf(outcome.error) : undefined;
}

function errorOf(error: AmqpErrorInit | Error | undefined): Error | undefined {
  return error === undefined || isError(error) ? error : new AmqpError(error);
}
