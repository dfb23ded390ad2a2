import type { CallRequest } from "../driver.js";
import { monitorSeconds } from "../values/monitor-timeout.js";
import { type RemoteExceptions, toThrowable } from "../values/remote-failure.js";
import { CallMonitor } from "./call-monitor.js";
import type { SendingConnection } from "./operations.js";
import { PendingReply, type Reply } from "./pending-reply.js";
import type { SendOperation } from "./send-operation.js";

export interface CallSteps<C extends SendingConnection> {
  /** Starts the operation. `signal` is aborted when the call monitor's time passes too. */
  start: (signal: AbortSignal | undefined) => SendOperation<C>;
  /** Resolves when the request is accepted: the reply may arrive before. */
  send: (operation: SendOperation<C>, reply: PendingReply<Reply>) => Promise<unknown>;
  /** Makes Errors of remote failures. */
  remoteExceptions: RemoteExceptions | undefined;
}

/** Sends a request, then waits for its reply until the timeout. Resolves with the response, and throws the failure. */
export async function runCall<C extends SendingConnection>(
  { callMonitorTimeoutMs: monitorMs, signal }: CallRequest,
  { start, send, remoteExceptions }: CallSteps<C>,
): Promise<unknown> {
  const monitor = monitorMs === undefined ? undefined : new CallMonitor(monitorSeconds(monitorMs) * 1_000, signal);
  const operation = start(monitor?.signal ?? signal);
  const reply = new PendingReply<Reply>(operation, monitor && (() => monitor.restart()));
  try {
    monitor?.start(() => operation.silent());
    await send(operation, reply);
    const result = await reply.value();
    if (result.type === "response") return result.value;
    throw toThrowable(result.failure, remoteExceptions);
  } finally {
    reply.cancel();
    operation.end();
    monitor?.stop();
  }
}
