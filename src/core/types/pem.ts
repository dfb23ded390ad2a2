import type { Pem } from "../byte-stream.js";

/** What stands in a PEM document. */
export function pemText(pem: Pem): string {
  return typeof pem === "string" ? pem : new TextDecoder().decode(pem);
}
