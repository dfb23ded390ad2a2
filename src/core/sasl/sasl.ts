import { ProtocolError } from "../errors.js";
import { concat, toHex } from "../types/bytes.js";
import type { SASL_CHALLENGE, SASL_RESPONSE } from "../types/descriptors.js";
import { Reader } from "../types/reader.js";
import { Writer } from "../types/writer.js";

/** Credentials for the peer. */
export type Credentials =
  | {
      /** User name. If it has no realm, `@` and `sasl_default_realm` are appended. */
      username: string;
      /** Password, for SCRAM and PLAIN. */
      password: string;
    }
  | {
      /** User name. Omitted: the token identifies the user. */
      username?: string | undefined;
      /** Token, for OAUTHBEARER and XOAUTH2. */
      token: string;
    }
  | {
      /** Authenticate by the client certificate (EXTERNAL). */
      external: true;
    }
  | {
      /** Connect without an identity (ANONYMOUS). */
      anonymous: true;
    };

/**
 * Maximum size of a SASL frame that is accepted. AMQP specifies 512 bytes (security 5.3.1), but tokens and long lists of
 * mechanisms need more. Sent frames have no limit, as in Qpid Proton: brokers accept the tokens that they issue.
 */
const MAX_FRAME_BYTES = 16_384;
const HEADER_BYTES = 8;
const FRAMING_ERROR = "amqp:connection:framing-error";

const PROTOCOLS: ReadonlyMap<string, string> = new Map([
  ["0,1,0,0", "AMQP 1.0"],
  ["2,1,0,0", "AMQP 1.0 with TLS"],
  ["3,1,0,0", "AMQP 1.0 with SASL"],
  ["0,0,9,1", "AMQP 0-9-1"],
  ["1,1,0,10", "AMQP 0-10"],
]);

/**
 * Names the protocol of a peer by its first 8 bytes: `HTTP`, `AMQP 0-9-1`, `TLS`, `AMQP 1.0 with SASL`, or the bytes in
 * hex.
 */
export function describeProtocol(bytes: Uint8Array): string {
  const first = bytes.subarray(0, HEADER_BYTES);
  const text = String.fromCharCode(...first);
  if (text.startsWith("AMQP") && first.length === HEADER_BYTES) {
    const version = first.subarray(4).join();
    return PROTOCOLS.get(version) ?? `AMQP with the protocol header ${version}`;
  }
  if (/^(HTTP\/|GET |HEAD |POST |PUT |PATCH |DELETE |OPTIONS |CONNECT |PRI \*)/.test(text)) return "HTTP";
  // A TLS 1.x record of type handshake or alert.
  if ((first[0] === 0x16 || first[0] === 0x15) && first[1] === 3) return "TLS";
  return `an unknown protocol (0x${toHex(first)})`;
}

/** The SASL protocol header: "AMQP", protocol id 3, version 1.0.0. */
export function saslHeader(): Uint8Array {
  return Uint8Array.of(0x41, 0x4d, 0x51, 0x50, 3, 1, 0, 0);
}

/** Returns a SASL frame. `writeFields` writes its fields and returns their number. */
export function saslFrame(code: number, writeFields: (writer: Writer) => number): Uint8Array {
  const writer = new Writer(512);
  writer.append(Uint8Array.of(0, 0, 0, 0, 2, 1, 0, 0));
  writer.descriptor(code);
  const list = writer.beginList();
  writer.endList(list, writeFields(writer));
  const frame = writer.take();
  new DataView(frame.buffer, frame.byteOffset).setUint32(0, frame.length);
  return frame;
}

/** Returns a frame with a challenge or a response. */
export function saslData(code: typeof SASL_CHALLENGE | typeof SASL_RESPONSE, data: Uint8Array): Uint8Array {
  return saslFrame(code, (writer) => {
    writer.binary(data);
    return 1;
  });
}

/** Reads the data of a challenge or a response; empty when it is omitted. */
export function readSaslData(fields: Reader): Uint8Array {
  return (fields.list() > 0 ? fields.binary() : undefined) ?? new Uint8Array(0);
}

export interface SaslFrame {
  readonly code: number;
  /** Positioned before the list of fields. */
  readonly fields: Reader;
}

/** Splits the peer's bytes into its protocol header and its SASL frames. */
export class SaslStream {
  #rest: Uint8Array = new Uint8Array(0);

  /** Bytes that have not been taken yet. */
  get rest(): Uint8Array {
    return this.#rest;
  }

  push(bytes: Uint8Array): void {
    this.#rest = this.#rest.length === 0 ? bytes : concat([this.#rest, bytes], this.#rest.length + bytes.length);
  }

  /** Name of the peer's protocol; undefined until enough bytes have arrived. */
  protocol(): string | undefined {
    const protocol = describeProtocol(this.#rest);
    // A TLS server answers other protocols with an alert, which is shorter than a header.
    return this.#rest.length >= HEADER_BYTES || protocol === "TLS" ? protocol : undefined;
  }

  takeHeader(): void {
    this.#rest = this.#rest.subarray(HEADER_BYTES);
  }

  /**
   * Takes the next frame. Returns undefined until it is complete.
   *
   * @throws ProtocolError when the frame is invalid or its descriptor is not one of `codes`.
   */
  takeFrame(...codes: readonly number[]): SaslFrame | undefined {
    const bytes = this.#rest;
    if (bytes.length < HEADER_BYTES) return undefined;
    const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    const body = (bytes[4] ?? 0) * 4;
    if (size < HEADER_BYTES || size > MAX_FRAME_BYTES || body < HEADER_BYTES || body > size || bytes[5] !== 1) {
      throw new ProtocolError(`invalid SASL frame header 0x${toHex(bytes.subarray(0, HEADER_BYTES))}`, FRAMING_ERROR);
    }
    if (bytes.length < size) return undefined;
    this.#rest = bytes.subarray(size);
    const fields = new Reader(bytes, body, size);
    const code = fields.described();
    if (codes.includes(code)) return { code, fields };
    const expected = codes.map((expectedCode) => `0x${expectedCode.toString(16)}`).join(" or ");
    throw new ProtocolError(`SASL frame 0x${code.toString(16)} where ${expected} was expected`, FRAMING_ERROR);
  }
}
