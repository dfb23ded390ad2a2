import type { SendingConnection } from "./operations.js";
import { mayResend, type SendOutcome } from "./outcomes.js";
import type { SendOperation } from "./send-operation.js";

/**
 * Sends until the message is accepted. It is sent again, over the present connection or the next one, while retries and
 * timeout allow it and no request can be handled twice by one server.
 *
 * @throws MessageDeliveryFailure for an outcome that is final; MessageUndeliverable for a returned message.
 * @throws SendQueueFull when the message would have to wait in a full queue.
 * @throws the error that ends the deadline.
 */
export async function sendUntilAccepted<C extends SendingConnection>(
  operation: SendOperation<C>,
  send: (connection: C) => Promise<SendOutcome>,
): Promise<void> {
  for (let retries = operation.retries; ; retries--) {
    const connection = operation.live ?? (await operation.connected());
    const outcome = await send(connection);
    if (outcome.type === "accepted") return;
    const failure = operation.failure(outcome);
    if (retries === 0 || !mayResend(outcome, connection.repeatsAreRecognised)) throw failure;
    connection.logger.debug(`sending again: ${failure.message}`);
    if (outcome.type !== "unsent") await operation.deadline.wait("credit", () => connection.pause());
  }
}
