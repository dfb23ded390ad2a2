import type { Outcome } from "../../core/messages/outcome.js";
import type { SendingConnection } from "./operations.js";
import { mayResend } from "./outcomes.js";
import type { SendOperation } from "./send-operation.js";

/**
 * Sends until the message is accepted. It is sent again, over the present connection or the next one, while retries and
 * timeout allow it and no duplicate can result.
 *
 * @throws MessageDeliveryFailure for an outcome that is final.
 * @throws SendQueueFull when the message would have to wait in a full queue.
 * @throws the error that ends the deadline.
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
    connection.logger.debug(`sending again: ${failure.message}`);
    if (outcome.type !== "unsent") await operation.deadline.wait("credit", () => connection.pause());
  }
}
