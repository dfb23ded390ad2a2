/** The longest time that a timer of a JavaScript engine can wait, 24 days: a longer one would fire at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Resolves after so many milliseconds, at most the longest time that a timer can wait. @throws the reason of `signal`. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(end, Math.min(ms, LONGEST_TIMER_MS));
    signal.addEventListener("abort", end);
  });
}
