/** How many are made from one draw of random bytes. */
const BATCH = 256;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/**
 * Ids that nobody can guess: whoever knows one could answer in a server's place. As Python's `uuid4().hex`, 32 hex digits
 * from a secure source. `crypto.randomUUID` is missing on pages that come by plain http, and one draw for each id would
 * cost more than the id.
 */
export class MessageIds {
  readonly #random = new Uint8Array(16 * BATCH);
  #at = this.#random.length;

  next(): string {
    const random = this.#random;
    if (this.#at === random.length) {
      crypto.getRandomValues(random);
      this.#at = 0;
    }
    const end = this.#at + 16;
    let id = "";
    for (let at = this.#at; at < end; at++) id += HEX[random[at] ?? 0];
    this.#at = end;
    return id;
  }
}
