import { toHex } from "./bytes.js";

/** AMQP's `uuid`: 16 bytes, stored unchanged. */
export class Uuid {
  readonly bytes: Uint8Array;

  /** @throws RangeError unless `bytes` has 16 bytes. */
  constructor(bytes: Uint8Array) {
    if (bytes.length !== 16) throw new RangeError(`uuid must have 16 bytes, not ${bytes.length}`);
    this.bytes = bytes;
  }

  /** Text form of RFC 4122: `01234567-89ab-cdef-0123-456789abcdef`. */
  toString(): string {
    return toHex(this.bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }
}
