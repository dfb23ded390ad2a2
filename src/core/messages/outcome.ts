import type { AmqpErrorInit } from "../errors.js";

/**
 * The outcome of sending a message. The first four are AMQP's (messaging 3.4). An `unsent` message was never sent and can
 * be sent again without duplicating it. An `unknown` one was sent, but the link or the connection was lost before the
 * peer reported an outcome.
 */
export type Outcome =
  | { readonly type: "accepted" }
  | { readonly type: "released" }
  | { readonly type: "modified"; readonly deliveryFailed: boolean; readonly undeliverableHere: boolean }
  | { readonly type: "rejected"; readonly error: AmqpErrorInit | undefined }
  | { readonly type: "unsent"; readonly error: Error }
  | { readonly type: "unknown"; readonly error: Error };

/** An outcome that a receiver can report. */
export type DeliveryState = Extract<Outcome, { type: "accepted" | "released" | "modified" | "rejected" }>;

export const ACCEPTED: { readonly type: "accepted" } = Object.freeze({ type: "accepted" });
export const RELEASED: DeliveryState = Object.freeze({ type: "released" });
