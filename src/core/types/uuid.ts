/** AMQP's `uuid`: 16 bytes, kept as they are. */
export class Uuid {
  readonly bytes: Uint8Array;

  /** Throws RangeError unless there are 16 bytes. */
  constructor(bytes: Uint8Array) {
    if (bytes.length !== 16) throw new RangeError(`a uuid has 16 bytes, not ${bytes.length}`);
    this.bytes = bytes;
  }

  /** As RFC 4122 writes it: `01234567-89ab-cdef-0123-456789abcdef`. */
  toString(): string {
    let text = "";
    for (const [index, byte] of this.bytes.entries()) {
      if (index === 4 || index === 6 || index === 8 || index === 10) text += "-";
      text += byte.toString(16).padStart(2, "0");
    }
    return text;
  }
}
