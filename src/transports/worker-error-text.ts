import type { Address } from "../core/byte-stream.js";
import { usesTls } from "./scheme.js";
import { socketErrorText } from "./socket-error-text.js";

/** Why a worker's stream or WebSocket did not open. Workers are told next to nothing, and less of TLS. */
export function workerErrorText(thrown: unknown, to: Address): string {
  const why = socketErrorText(thrown);
  return usesTls(to)
    ? `${why} (workers are not told more: is the certificate signed by a CA that their runtime trusts?)`
    : why;
}
