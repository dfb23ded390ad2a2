import type { Address } from "../core/byte-stream.js";
import { usesTls } from "./scheme.js";
import { socketErrorText } from "./socket-error-text.js";

/** Describes why a worker's stream or WebSocket did not open. The runtimes report few details, and none of TLS. */
export function workerErrorText(thrown: unknown, to: Address): string {
  const why = socketErrorText(thrown);
  return usesTls(to)
    ? `${why} (the runtime reports no details: is the certificate signed by a CA that it trusts?)`
    : why;
}
