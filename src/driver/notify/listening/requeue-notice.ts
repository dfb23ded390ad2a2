import type { Logger } from "../../../core/logger.js";

/**
 * Returns the function that is called when an endpoint returns `requeue`. Without `allowRequeue` it warns the first time
 * that the notification is not requeued.
 */
export function requeueNotice(allowRequeue: boolean, logger: Logger): () => void {
  let isGiven = allowRequeue;
  return () => {
    if (isGiven) return;
    isGiven = true;
    logger.warn(
      "an endpoint returned requeue, which is off: the notification is discarded; the listener's option allowRequeue enables it",
    );
  };
}
