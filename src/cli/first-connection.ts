import type { Logger, Transport } from "../entry/node.js";
import { NotConnected } from "./exit-status.js";
import type { Terminal } from "./terminal.js";

/**
 * Resolves once the transport is connected and authenticated. Until it is closed, every connection and its loss is logged.
 *
 * @throws NotConnected when no host is within `timeoutMs`, with what the last attempt failed with; Interrupted.
 */
export async function connect(transport: Transport, timeoutMs: number, terminal: Terminal): Promise<void> {
  const { interrupted, logger } = terminal;
  const limit = AbortSignal.timeout(timeoutMs);
  const last = watch(transport, logger);
  try {
    await transport.connect({ signal: AbortSignal.any([interrupted, limit]) });
  } catch (error) {
    if (interrupted.aborted || !limit.aborted) throw error;
    const { host, cause } = last;
    throw new NotConnected(`not connected to ${host} within ${timeoutMs / 1_000} s`, { cause });
  }
}

/** What the newest failed attempt failed with. */
interface LastFailure {
  host: string;
  cause: Error | undefined;
}

function watch(transport: Transport, logger: Logger): LastFailure {
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
