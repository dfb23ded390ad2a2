import { AuthenticationError, type Transport } from "../entry/node.js";
import { NotConnected } from "./exit-status.js";
import type { Terminal } from "./terminal.js";

/**
 * The signal for what a command waits for. It is aborted when the command is interrupted, and with NotConnected as soon as
 * every host of the transport has refused the credentials: further attempts are useless.
 */
export function endOf(transport: Transport, { interrupted }: Terminal): AbortSignal {
  const refused = new AbortController();
  void refusal(transport).then((cause) => {
    if (cause !== undefined) refused.abort(new NotConnected("every host refused the credentials", { cause }));
  });
  return AbortSignal.any([interrupted, refused.signal]);
}

/** Resolves with the last error when every host has refused the credentials, one after another; else with undefined. */
async function refusal(transport: Transport): Promise<Error | undefined> {
  const hosts = Math.max(1, transport.url.hosts.length);
  let refusals = 0;
  for await (const status of transport.status()) {
    if (status.type === "connecting") continue;
    const isRefusal = status.type === "disconnected" && status.error instanceof AuthenticationError;
    refusals = isRefusal ? refusals + 1 : 0;
    if (isRefusal && refusals === hosts) return status.error;
  }
  return undefined;
}

/**
 * Tries each host once.
 *
 * @throws NotConnected if no host is connected within `timeoutMs`; its cause is the error of the last attempt.
 * @throws Interrupted if the command is interrupted.
 */
export async function connectOnce(transport: Transport, timeoutMs: number, { interrupted }: Terminal): Promise<void> {
  try {
    await transport.connect({ timeoutMs, signal: interrupted });
  } catch (cause) {
    interrupted.throwIfAborted();
    throw new NotConnected(`not connected to ${transport.url}`, { cause });
  }
}
