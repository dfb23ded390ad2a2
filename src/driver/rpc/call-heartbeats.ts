import type { Logger } from "../../core/logger.js";
import { LONGEST_TIMER_MS } from "../../core/timers.js";
import type { IncomingMessage } from "../driver.js";
import { stackText } from "../values/stack-text.js";

/** Below this the caller's timeout leaves no room for a heartbeat of whole seconds: oslo sends none. */
const SHORTEST_MS = 2_000;

/**
 * Does the work of a call. A caller that gave a call monitor timeout is told every half of it that the work goes on, and
 * no longer than it does (oslo_messaging/rpc/dispatcher.py:232-265).
 */
export async function withHeartbeats<T>(message: IncomingMessage, logger: Logger, work: () => Promise<T>): Promise<T> {
  const timer = message.wantsReply ? startHeartbeats(message, logger) : undefined;
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

function startHeartbeats(message: IncomingMessage, logger: Logger): ReturnType<typeof setInterval> | undefined {
  const timeoutMs = message.callMonitorTimeoutMs;
  if (timeoutMs === undefined) return undefined;
  if (!(timeoutMs >= SHORTEST_MS)) {
    logger.warn("a caller's call monitor timeout is too short for heartbeats: none are sent", { timeoutMs });
    return undefined;
  }
  const beat = (): void => {
    try {
      message.heartbeat();
    } catch (error) {
      clearInterval(timer);
      logger.warn(`a heartbeat could not be sent, no more follow: ${stackText(error)}`);
    }
  };
  const timer = setInterval(beat, Math.min(timeoutMs / 2, LONGEST_TIMER_MS));
  return timer;
}
