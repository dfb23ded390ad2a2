import type { Outcome } from "../../core/messages/outcome.js";
import type { SendingConnection } from "./operations.js";
import { mayResend } from "./outcomes.js";
import type { SendOperation } from "./send-operation.js";

/**
 * Sends until the message is accepted: again over the present connection or the next one, as long as the retries and the
 * timeout allow and a repeat cannot deliver the message twice.
 *
 * @throws MessageDeliveryFailure for an outcome that is final; SendQueueFull; the error that ends the deadline.
 */
export async function sendUntilAccepted<C extends SendingConnection>(
  operation: SendOperation<C>,
  send: (connection: C) => Promise<Outcome>,
): Promise<void> {
  for (let retries = operation.retries; ; retries--) {
    const connection = operation.live ?? (await operation.connected());
    const outcome = await send(connection);
    if (outcome.type === "accepted") return;
    const failure = operation.failure(outcome);
    if (retries === 0 || !mayResend(outcome)) throw failure;
    connection.logger.debug(`sent again: ${failure.message}`);
    if (outcome.type !== "unsent") await operation.deadline.wait("credit", () => connection.pause());
  }
}
