import type { RPCClient } from "oslo-messaging";
import { toError } from "../../../src/core/errors.js";

export interface LoadInit {
  client: RPCClient;
  calls: number;
  /** Maximum number of calls in progress. */
  concurrency: number;
  signal: AbortSignal;
  onLatency: (ms: number) => void;
  /** Called after each call. `lastError` is the error of the latest failure. */
  onProgress: (done: number, failed: number, lastError: Error | undefined) => void;
}

/** Calls `echo` the given number of times. Resolves when all calls have ended, or soon after `signal` is aborted. */
export async function load(init: LoadInit): Promise<void> {
  const { client, calls, concurrency, signal, onLatency, onProgress } = init;
  let begun = 0;
  let done = 0;
  let failed = 0;
  let lastError: Error | undefined;
  const caller = async (): Promise<void> => {
    while (begun < calls && !signal.aborted) {
      begun += 1;
      const started = performance.now();
      try {
        await client.call({}, "echo", { arg: begun }, { signal });
        onLatency(performance.now() - started);
      } catch (error) {
        if (signal.aborted) return;
        failed += 1;
        lastError = toError(error);
      }
      done += 1;
      onProgress(done, failed, lastError);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
}
