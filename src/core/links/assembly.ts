import { concat } from "../types/bytes.js";

/** Payloads of at least this size are kept as views of the socket's buffer. Smaller ones are copied: a view would pin the buffer. */
const LARGE_BYTES = 16_384;
const FIRST_TAIL_BYTES = 512;
const NOTHING = new Uint8Array(0);

/**
 * Puts a message together from the payloads of its frames. Memory grows with the bytes, not with the frames: an untrusted
 * peer may send a message in millions of frames, or any number of empty ones.
 */
export class Assembly {
  #pieces: Uint8Array[] = [];
  /** Buffer that small payloads are appended to. */
  #tail: Uint8Array = NOTHING;
  #used = 0;
  #bytes = 0;

  /** Bytes added so far. */
  get bytes(): number {
    return this.#bytes;
  }

  add(payload: Uint8Array): void {
    this.#bytes += payload.length;
    if (payload.length >= LARGE_BYTES) {
      this.#seal(NOTHING);
      this.#pieces.push(payload);
      return;
    }
    if (this.#used + payload.length > this.#tail.length) {
      const doubled = Math.min(LARGE_BYTES, Math.max(FIRST_TAIL_BYTES, 2 * this.#tail.length));
      this.#seal(new Uint8Array(Math.max(doubled, payload.length)));
    }
    this.#tail.set(payload, this.#used);
    this.#used += payload.length;
  }

  /** Returns the message. `add` must not be called afterwards. */
  whole(): Uint8Array {
    this.#seal(NOTHING);
    return concat(this.#pieces, this.#bytes);
  }

  #seal(next: Uint8Array): void {
    if (this.#used > 0) this.#pieces.push(this.#tail.subarray(0, this.#used));
    this.#tail = next;
    this.#used = 0;
  }
}
