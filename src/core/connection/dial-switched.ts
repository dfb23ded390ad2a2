import type { Address, Dial, Socket } from "../byte-stream.js";
import type { FrameFormat } from "../frames/frame-log.js";
import { FrameTap, type OnFrame, tapped, watcher } from "../frames/frame-tap.js";
import { type Logger, silentLogger } from "../logger.js";
import { SwitchedHandlers } from "./switched-handlers.js";

export interface FrameWatch {
  /** Called with every frame in both directions. Secrets are removed. */
  onFrame?: OnFrame | undefined;
  /** Logs what `onFrame` throws. */
  logger?: Logger | undefined;
}

/**
 * Dials with handlers that the caller switches as the connection proceeds. `onFrame` observes the stream.
 *
 * @throws the dialler's error.
 * @throws the reason of `signal`.
 */
export async function dialSwitched(
  dial: Dial,
  to: Address,
  { onFrame, logger = silentLogger }: FrameWatch,
  format: FrameFormat,
  signal: AbortSignal,
): Promise<[Socket, SwitchedHandlers]> {
  signal.throwIfAborted();
  const watch = onFrame && watcher(onFrame, logger);
  const handlers = new SwitchedHandlers(watch && new FrameTap(format, "in", watch));
  const socket = await dial(to, handlers, signal);
  return [watch === undefined ? socket : tapped(socket, new FrameTap(format, "out", watch)), handlers];
}
