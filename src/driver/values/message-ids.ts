/** How many are made from one draw of random bytes. */
const BATCH = 256;
const LENGTH = 32;

/**
 * Ids that nobody can guess: whoever knows one could answer in a server's place. As Python's `uuid4().hex`, 32 hex digits
 * from a secure source. `crypto.randomUUID` is missing on pages that come by plain http, and one draw for each id would
 * cost more than the id.
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

const DIGITS = "0123456789abcdef";

function randomHex(length: number): string {
  const digits = crypto.getRandomValues(new Uint8Array(length));
  for (let at = 0; at < length; at++) digits[at] = DIGITS.charCodeAt((digits[at] ?? 0) % 16);
  return new TextDecoder().decode(digits);
}
