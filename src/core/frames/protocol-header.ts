import { ProtocolError } from "../errors.js";
import { describeProtocol } from "../sasl/sasl.js";

/** The AMQP 1.0 protocol header (transport 2.2): "AMQP", protocol id, major, minor, revision. */
export const AMQP_HEADER: readonly number[] = [0x41, 0x4d, 0x51, 0x50, 0, 1, 0, 0];

/** Reads the peer's protocol header, which may arrive in pieces. */
export class ProtocolHeader {
  readonly #bytes: number[] = [];

  get isComplete(): boolean {
    return this.#bytes.length === AMQP_HEADER.length;
  }

  /**
   * Reads the next bytes of the header. Returns the bytes after it.
   *
   * @throws ProtocolError when the header is not that of AMQP 1.0.
   */
  receive(bytes: Uint8Array): Uint8Array {
    const missing = AMQP_HEADER.length - this.#bytes.length;
    this.#bytes.push(...bytes.subarray(0, missing));
    if (this.isComplete && this.#bytes.some((byte, i) => byte !== AMQP_HEADER[i])) {
      const spoken = describeProtocol(Uint8Array.from(this.#bytes));
      throw new ProtocolError(`the peer speaks ${spoken}, not AMQP 1.0`, "amqp:connection:framing-error");
    }
    return bytes.subarray(missing);
  }
}
