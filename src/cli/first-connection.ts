import type { Logger, Transport } from "../entry/node.js";
import { NotConnected } from "./exit-status.js";
import type { Terminal } from "./terminal.js";

/**
 * Resolves once the transport is connected and authenticated. Until the transport is closed, every connection and its
 * loss is logged.
 *
 * @throws NotConnected if no host is connected within `timeoutMs`; its cause is the error of the last attempt.
 * @throws Interrupted if the command is interrupted.
 */
export async function connect(transport: Transport, timeoutMs: number, terminal: Terminal): Promise<void> {
  const { interrupted, logger } = terminal;
  const timeout = AbortSignal.timeout(timeoutMs);
  const last = logStatus(transport, logger);
  try {
    await transport.connect({ signal: AbortSignal.any([interrupted, timeout]) });
  } catch (error) {
    if (interrupted.aborted || !timeout.aborted) throw error;
    const { host, cause } = last;
    throw new NotConnected(`not connected to ${host} within ${timeoutMs / 1_000} s`, { cause });
  }
}

/** Host and error of the last attempt that failed. */
interface LastFailure {
  host: string;
  cause: Error | undefined;
}

/** Logs the transport's connections until it is closed. Returns an object that is kept up to date. */
function logStatus(transport: Transport, logger: Logger): LastFailure {
  const last: LastFailure = { host: String(transport.url), cause: undefined };
  const follow = async (): Promise<void> => {
    for await (const status of transport.status()) {
      if (status.type === "connected") {
        logger.info(`connected to ${status.host}`, { product: status.product });
      } else if (status.type === "disconnected") {
        const { host, error: cause, retryInMs } = status;
        Object.assign(last, { host, cause });
        logger.warn(`not connected to ${host}`, { cause, retryInMs });
      }
    }
  };
  void follow();
  return last;
}
