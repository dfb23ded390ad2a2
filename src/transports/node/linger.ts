import type { Socket as NetSocket } from "node:net";

/** An ended stream is destroyed after this long without progress by the peer. */
export const LINGER_MS = 2000;

/**
 * Destroys a stream that ends when nothing moves any more: a peer that neither reads nor closes must not keep it open. `onCut` is
 * called before.
 */
export function linger(stream: NetSocket, onCut: () => void = () => {}): void {
  const cut = (): void => {
    onCut();
    stream.destroy();
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  stream.setTimeout(LINGER_MS, cut);
  stream.once("finish", () => {
    // All bytes have left; only the peer's end is missing. Bytes that it still sends do not extend the wait.
    timer = setTimeout(cut, LINGER_MS);
  });
  stream.once("close", () => clearTimeout(timer));
}
