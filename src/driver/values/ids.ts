/** Ids that `MessageIds` makes from one draw of random bytes. */
const BATCH = 256;
const LENGTH = 32;

/**
 * Makes unguessable message ids: a peer that could guess one could answer in the server's place. Each has 32 hex digits from
 * a secure source, as Python's `uuid4().hex`. One draw of random bytes for each id would cost more than the id.
 */
export class MessageIds {
  #batch = "";
  #at = 0;

  next(): string {
    if (this.#at === this.#batch.length) {
      this.#batch = randomHex(BATCH * LENGTH);
      this.#at = 0;
    }
    this.#at += LENGTH;
    return this.#batch.slice(this.#at - LENGTH, this.#at);
  }
}

/** A random UUID of version 4, as Python's `str(uuid4())`. */
export function uuid4(): string {
  const hex = randomHex(LENGTH);
  const variant = "89ab"[Number.parseInt(hex.charAt(16), 16) % 4];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}

const DIGITS = "0123456789abcdef";

/** Random hex digits from a secure source. Pages served by plain http have no `crypto.randomUUID`. */
export function randomHex(length: number): string {
  const digits = crypto.getRandomValues(new Uint8Array(length));
  for (let at = 0; at < length; at++) digits[at] = DIGITS.charCodeAt((digits[at] ?? 0) % 16);
  return new TextDecoder().decode(digits);
}
