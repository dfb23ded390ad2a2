import type { RecurringWarnings } from "../../core/recurring-warnings.js";
import { timerMs } from "../../core/timers.js";
import type { IncomingMessage } from "../driver.js";
import { stackText } from "../values/stack-text.js";

/** Shortest call monitor timeout with heartbeats. oslo counts in whole seconds and sends none for a shorter one. */
const SHORTEST_MS = 2_000;

/**
 * Runs `work`. If the caller waits and gave a call monitor timeout, sends a heartbeat every half of that timeout until
 * `work` ends (oslo_messaging/rpc/dispatcher.py:232-265).
 */
export async function withHeartbeats<T>(
  message: IncomingMessage,
  warnings: RecurringWarnings,
  work: () => Promise<T>,
): Promise<T> {
  const timer = message.wantsReply ? startHeartbeats(message, warnings) : undefined;
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

function startHeartbeats(
  message: IncomingMessage,
  warnings: RecurringWarnings,
): ReturnType<typeof setInterval> | undefined {
  const timeoutMs = message.callMonitorTimeoutMs;
  if (timeoutMs === undefined) return undefined;
  if (!(timeoutMs >= SHORTEST_MS)) {
    const tooShort = "no heartbeats are sent: the caller's call monitor timeout is too short";
    warnings.warn(tooShort, tooShort, { timeoutMs });
    return undefined;
  }
  const beat = (): void => {
    try {
      message.heartbeat();
    } catch (error) {
      clearInterval(timer);
      warnings.warn("heartbeat failed", `no more heartbeats are sent: sending one failed: ${stackText(error)}`);
    }
  };
  const timer = setInterval(beat, timerMs(timeoutMs / 2));
  return timer;
}
