import { offAbort, onAbort } from "./abort.js";

/** Longest delay of a JavaScript timer in milliseconds, 24 days. A timer with a longer delay fires at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The delay for a timer: `ms`, at most `LONGEST_TIMER_MS`. */
export function timerMs(ms: number): number {
  return Math.min(ms, LONGEST_TIMER_MS);
}

/**
 * Resolves after `ms` milliseconds, at most `LONGEST_TIMER_MS`.
 *
 * @throws the reason of `signal` when it is aborted.
 */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      offAbort(signal, end);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(end, timerMs(ms));
    onAbort(signal, end);
  });
}
