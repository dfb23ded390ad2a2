import type { MessageDeliveryFailure, RemoteFailure } from "../exceptions.js";
import { toFailure } from "./remote-failure.js";

/**
 * The failure for the caller in the place of a reply that was rejected. It is short, so that it fits where the reply does
 * not.
 */
export function toReplyFailure(error: MessageDeliveryFailure): RemoteFailure {
  const reason = error.cause instanceof Error ? error.cause.message : "the peer gave no reason";
  const message = `RPC Reply message failed: rejected: ${reason}`;
  return { ...toFailure(error), message, args: [message] };
}
