import { toError } from "../../core/errors.js";
import type { Log } from "../../core/recurring-warnings.js";
import type { ListenOptions } from "../driver.js";

/** Longest reply address that is accepted. No reply is sent to a longer one; a warning is logged. */
const MAX_LENGTH = 1_024;

/** The reply address of a request, which is untrusted input. Undefined, with a warning, when no reply is sent to it. */
export function acceptedReplyTo(
  replyTo: string,
  acceptReplyTo: ListenOptions["acceptReplyTo"],
  { logger, warnings }: Log,
): string | undefined {
  if (replyTo.length > MAX_LENGTH) {
    warnings.warn("long reply address", `no reply is sent to an address of ${replyTo.length} characters`);
    return undefined;
  }
  try {
    if (acceptReplyTo === undefined || acceptReplyTo(replyTo) === true) return replyTo;
    warnings.warn("refused reply address", "no reply is sent to a refused address", { replyTo });
  } catch (error) {
    logger.error("acceptReplyTo failed: no reply is sent", { error: toError(error) });
  }
  return undefined;
}
