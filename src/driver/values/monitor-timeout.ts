import { LONGEST_TIMER_MS, timerMs } from "../../core/timers.js";

/**
 * The call monitor timeout as sent to the server: whole seconds, rounded up, at least 2 because the server halves them. The
 * client's timer must not be shorter.
 */
export function monitorSeconds(callMonitorTimeoutMs: number): number {
  return Math.min(Math.max(2, Math.ceil(callMonitorTimeoutMs / 1000)), Math.floor(LONGEST_TIMER_MS / 1000));
}

/** The call monitor timeout in milliseconds. Accepts any number, as Python does. Undefined for any other value or below 1 s. */
export function monitorMs(seconds: unknown): number | undefined {
  if (typeof seconds !== "number" && typeof seconds !== "bigint") return undefined;
  const ms = Math.floor(Number(seconds)) * 1000;
  return ms > 0 ? timerMs(ms) : undefined;
}
