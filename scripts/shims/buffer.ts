/**
 * The part of Node's Buffer that rhea's control plane uses, as a Uint8Array, for runtimes without Buffer. Reads and writes
 * use a DataView, because rhea does not check bounds: it relies on the RangeError that Node throws past the end.
 */
export class Buffer extends Uint8Array {
  readonly #view = new DataView(this.buffer, this.byteOffset, this.byteLength);

  static alloc(size: number): Buffer {
    return new Buffer(size);
  }

  static override from(source: unknown, encodingOrOffset?: unknown, length?: unknown): Buffer {
    if (typeof source === "string") return encode(source, encodingOrOffset);
    if (isArrayBuffer(source)) return new Buffer(source, optionalNumber(encodingOrOffset), optionalNumber(length));
    if (source instanceof Uint8Array) return new Buffer(source);
    throw new TypeError(`Buffer.from: ${typeof source} is not supported`);
  }

  static isBuffer(value: unknown): value is Buffer {
    return value instanceof Buffer;
  }

  static byteLength(text: string): number {
    return new TextEncoder().encode(text).length;
  }

  /** Returns a view, like Node's Buffer; Uint8Array would copy. */
  override slice(start?: number, end?: number): Buffer {
    const { buffer, byteOffset, byteLength } = this.subarray(start, end);
    return new Buffer(buffer, byteOffset, byteLength);
  }

  copy(target: Uint8Array, targetStart = 0): number {
    const part = this.subarray(0, Math.max(0, target.length - targetStart));
    target.set(part, targetStart);
    return part.length;
  }

  override toString(encoding: unknown = "utf8"): string {
    if (encoding === "utf8") return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this);
    if (encoding === "ascii") return Array.from(this, (byte) => String.fromCharCode(byte & 0x7f)).join("");
    throw new TypeError(`Unknown encoding: ${String(encoding)}`);
  }

  readUInt8(offset = 0): number {
    return this.#view.getUint8(offset);
  }

  readUInt16BE(offset = 0): number {
    return this.#view.getUint16(offset);
  }

  readUInt32BE(offset = 0): number {
    return this.#view.getUint32(offset);
  }

  readInt8(offset = 0): number {
    return this.#view.getInt8(offset);
  }

  readInt16BE(offset = 0): number {
    return this.#view.getInt16(offset);
  }

  readInt32BE(offset = 0): number {
    return this.#view.getInt32(offset);
  }

  readFloatBE(offset = 0): number {
    return this.#view.getFloat32(offset);
  }

  readDoubleBE(offset = 0): number {
    return this.#view.getFloat64(offset);
  }

  writeUInt8(value: number, offset = 0): void {
    this.#view.setUint8(offset, value);
  }

  writeUInt16BE(value: number, offset = 0): void {
    this.#view.setUint16(offset, value);
  }

  writeUInt32BE(value: number, offset = 0): void {
    this.#view.setUint32(offset, value);
  }

  writeInt8(value: number, offset = 0): void {
    this.#view.setInt8(offset, value);
  }

  writeInt16BE(value: number, offset = 0): void {
    this.#view.setInt16(offset, value);
  }

  writeInt32BE(value: number, offset = 0): void {
    this.#view.setInt32(offset, value);
  }

  writeFloatBE(value: number, offset = 0): void {
    this.#view.setFloat32(offset, value);
  }

  writeDoubleBE(value: number, offset = 0): void {
    this.#view.setFloat64(offset, value);
  }
}

function encode(text: string, encoding: unknown = "utf8"): Buffer {
  if (encoding === "utf8") return new Buffer(new TextEncoder().encode(text));
  if (encoding === "ascii") return new Buffer(Array.from(text, (char) => char.charCodeAt(0) & 0xff));
  throw new TypeError(`Unknown encoding: ${String(encoding)}`);
}

/** Checks the tag instead of the class: an ArrayBuffer may come from another realm. */
function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return Object.prototype.toString.call(value) === "[object ArrayBuffer]";
}

function optionalNumber(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
