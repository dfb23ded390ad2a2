import type { AmqpErrorInit } from "../errors.js";

/**
 * What became of a message that was sent. The first four are AMQP's (messaging 3.4); `unsent` never left, so sending it
 * again cannot double it; `unknown` left, and the link or the connection went before the peer said what it did with it.
 */
export type Outcome =
  | { readonly type: "accepted" }
  | { readonly type: "released" }
  | { readonly type: "modified"; readonly deliveryFailed: boolean; readonly undeliverableHere: boolean }
  | { readonly type: "rejected"; readonly error: AmqpErrorInit | undefined }
  | { readonly type: "unsent"; readonly error: Error }
  | { readonly type: "unknown"; readonly error: Error };

/** What a receiver may answer. */
export type DeliveryState = Extract<Outcome, { type: "accepted" | "released" | "modified" | "rejected" }>;

export const ACCEPTED: DeliveryState = Object.freeze({ type: "accepted" });
export const RELEASED: DeliveryState = Object.freeze({ type: "released" });
