import { ProtocolError } from "../errors.js";
import { concat, toHex } from "../types/bytes.js";
import type { SASL_CHALLENGE, SASL_RESPONSE } from "../types/descriptors.js";
import { Reader } from "../types/reader.js";
import { Writer } from "../types/writer.js";

/** Who we are to the peer. */
export type Credentials =
  | {
      /** Without a realm `sasl_default_realm` is added. */
      username: string;
      /** For SCRAM and PLAIN. */
      password: string;
    }
  | {
      /** Absent: the token says it. */
      username?: string | undefined;
      /** For OAUTHBEARER and XOAUTH2. */
      token: string;
    }
  | {
      /** As the transport says: by a client certificate. */
      external: true;
    }
  | {
      /** Nobody in particular. */
      anonymous: true;
    };

/** AMQP says 512; tokens and long lists of mechanisms need more. */
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

/** Names what a peer speaks, from its first 8 bytes: `HTTP`, `AMQP 0-9-1`, `TLS`, `AMQP 1.0 with SASL`, or the bytes in hex. */
export function describeProtocol(bytes: Uint8Array): string {
  const first = bytes.subarray(0, HEADER_BYTES);
  const text = String.fromCharCode(...first);
  if (text.startsWith("AMQP") && first.length === HEADER_BYTES) {
    const version = first.subarray(4).join();
    return PROTOCOLS.get(version) ?? `AMQP with the protocol header ${version}`;
  }
  if (/^(HTTP\/|GET |HEAD |POST |PUT |PATCH |DELETE |OPTIONS |CONNECT |PRI \*)/.test(text)) return "HTTP";
  // A record of TLS 1.x: a handshake or an alert.
  if ((first[0] === 0x16 || first[0] === 0x15) && first[1] === 3) return "TLS";
  return `an unknown protocol (0x${toHex(first)})`;
}

/** The SASL protocol header: "AMQP", protocol id 3, version 1.0.0. */
export function saslHeader(): Uint8Array {
  return Uint8Array.of(0x41, 0x4d, 0x51, 0x50, 3, 1, 0, 0);
}

/** One SASL frame with the fields that `writeFields` writes; it returns how many. */
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

/** A challenge or a response. */
export function saslData(code: typeof SASL_CHALLENGE | typeof SASL_RESPONSE, data: Uint8Array): Uint8Array {
  return saslFrame(code, (writer) => {
    writer.binary(data);
    return 1;
  });
}

/** What a challenge or a response carries; nothing is as good as empty. */
export function readSaslData(fields: Reader): Uint8Array {
  return (fields.list() > 0 ? fields.binary() : undefined) ?? new Uint8Array(0);
}

export interface SaslFrame {
  readonly code: number;
  /** Stands in front of the fields. */
  readonly fields: Reader;
}

/** The peer's bytes as they come in, cut into its protocol header and its SASL frames. */
export class SaslStream {
  #rest: Uint8Array = new Uint8Array(0);

  /** What has not been taken yet. */
  get rest(): Uint8Array {
    return this.#rest;
  }

  push(bytes: Uint8Array): void {
    this.#rest = this.#rest.length === 0 ? bytes : concat([this.#rest, bytes], this.#rest.length + bytes.length);
  }

  /** What the peer begins with, once that can be told. */
  protocol(): string | undefined {
    const protocol = describeProtocol(this.#rest);
    // An alert, the answer of a TLS server to anything else, is shorter than a header.
    return this.#rest.length >= HEADER_BYTES || protocol === "TLS" ? protocol : undefined;
  }

  takeHeader(): void {
    this.#rest = this.#rest.subarray(HEADER_BYTES);
  }

  /** Takes the next frame once it is there. Throws ProtocolError for any other than `codes`. */
  takeFrame(...codes: readonly number[]): SaslFrame | undefined {
    const bytes = this.#rest;
    if (bytes.length < HEADER_BYTES) return undefined;
    const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    const body = (bytes[4] ?? 0) * 4;
    if (size < HEADER_BYTES || size > MAX_FRAME_BYTES || body < HEADER_BYTES || body > size || bytes[5] !== 1) {
      throw new ProtocolError(`no SASL frame begins with 0x${toHex(bytes.subarray(0, HEADER_BYTES))}`, FRAMING_ERROR);
    }
    if (bytes.length < size) return undefined;
    this.#rest = bytes.subarray(size);
    const fields = new Reader(bytes, body, size);
    const code = fields.described();
    if (codes.includes(code)) return { code, fields };
    const expected = codes.map((one) => `0x${one.toString(16)}`).join(" or ");
    throw new ProtocolError(`SASL frame 0x${code.toString(16)} where ${expected} was expected`, FRAMING_ERROR);
  }
}
