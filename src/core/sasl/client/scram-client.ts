import { AuthenticationError, ProtocolError } from "../../errors.js";
import { equalBytes } from "../../types/bytes.js";
import { readUtf8 } from "../../types/utf8.js";
import { fromBase64, toBase64 } from "../base64.js";
import { type ClientMechanism, printable } from "../mechanism.js";
import { saslprep } from "../saslprep.js";
import {
  escapeName,
  MAX_ITERATIONS,
  MIN_ITERATIONS,
  newNonce,
  readServerFirst,
  type ScramHash,
  scramProofs,
} from "../scram.js";

/** No channel binding, and no authorization id. */
const GS2_HEADER = "n,,";

export interface ScramClientInit {
  hash: ScramHash;
  username: string;
  password: string;
  /** Mechanism and user, the beginning of every error message. */
  login: string;
  /** For tests. Default: random. */
  nonce?: string | undefined;
}

/** SCRAM (RFC 5802 and 7677): the password is not sent, and the server must prove that it knows it. */
export class ScramClient implements ClientMechanism {
  readonly name: string;
  readonly initialResponse: Uint8Array;
  readonly #hash: ScramHash;
  readonly #login: string;
  readonly #password: string;
  readonly #nonce: string;
  readonly #firstBare: string;
  #awaits: "first" | "final" | "outcome" = "first";
  /** Proof that the server must send. */
  #expected: Uint8Array | undefined;

  constructor({ hash, username, password, login, nonce = newNonce() }: ScramClientInit) {
    this.name = `SCRAM-${hash}`;
    this.#hash = hash;
    this.#login = login;
    // The types declare it as always defined.
    if ((crypto.subtle as SubtleCrypto | undefined) === undefined) {
      const where = "which pages have only over https or from localhost";
      throw this.#failed(
        `SCRAM requires WebCrypto (crypto.subtle), ${where}; set sasl_mechanisms to another mechanism`,
      );
    }
    this.#password = this.#prepared("password", password);
    this.#nonce = nonce;
    this.#firstBare = `n=${escapeName(this.#prepared("username", username))},r=${nonce}`;
    this.initialResponse = new TextEncoder().encode(GS2_HEADER + this.#firstBare);
  }

  respond(challenge: Uint8Array): Uint8Array | Promise<Uint8Array> {
    switch (this.#awaits) {
      case "first":
        this.#awaits = "final";
        return this.#prove(textOf(challenge));
      case "final":
        this.#verify(textOf(challenge));
        return new Uint8Array(0);
      case "outcome":
        throw new ProtocolError(`${this.#login}: unexpected challenge after the last one`);
      default:
        return this.#awaits satisfies never;
    }
  }

  onSuccess(additionalData: Uint8Array): void {
    if (this.#awaits === "outcome") return;
    if (additionalData.length > 0) return this.#verify(textOf(additionalData));
    throw this.#failed("the peer did not prove that it knows the password");
  }

  failureReason(additionalData: Uint8Array): string | undefined {
    return errorOf(textOf(additionalData));
  }

  async #prove(serverFirst: string): Promise<Uint8Array> {
    const first = readServerFirst(serverFirst);
    if (first === undefined) throw this.#failed(errorOf(serverFirst) ?? "the peer's first message is malformed");
    const { nonce, salt, iterations } = first;
    if (!nonce.startsWith(this.#nonce) || nonce === this.#nonce) {
      throw this.#failed("the peer's nonce does not continue ours");
    }
    if (iterations < MIN_ITERATIONS || iterations > MAX_ITERATIONS) {
      throw this.#failed(`the peer requests ${iterations} iterations, must be ${MIN_ITERATIONS} to ${MAX_ITERATIONS}`);
    }
    const final = `c=${btoa(GS2_HEADER)},r=${nonce}`;
    const authMessage = `${this.#firstBare},${serverFirst},${final}`;
    const proofs = await scramProofs({ hash: this.#hash, password: this.#password, salt, iterations, authMessage });
    this.#expected = proofs.server;
    return new TextEncoder().encode(`${final},p=${toBase64(proofs.client)}`);
  }

  #verify(serverFinal: string): void {
    const [, base64 = ""] = /^v=([^,]+)(?:,|$)/.exec(serverFinal) ?? [];
    const given = fromBase64(base64);
    if (this.#expected === undefined || given === undefined || !equalBytes(given, this.#expected)) {
      throw this.#failed(errorOf(serverFinal) ?? "the peer does not know the password");
    }
    this.#awaits = "outcome";
  }

  #prepared(field: "username" | "password", text: string): string {
    const prepared = saslprep(text);
    if (prepared === undefined) throw this.#failed(`the ${field} contains a character that SASLprep prohibits`);
    return prepared;
  }

  #failed(reason: string): AuthenticationError {
    return new AuthenticationError(`${this.#login} failed: ${reason}`);
  }
}

/** Empty, which is an invalid message, when the bytes are not valid UTF-8. */
function textOf(bytes: Uint8Array): string {
  return readUtf8(bytes, 0, bytes.length) ?? "";
}

/** Description of a server error: `e=` and one of RFC 5802's error values, such as invalid-proof. */
function errorOf(message: string): string | undefined {
  const [, error] = /^e=([^,]+)/.exec(message) ?? [];
  return error === undefined ? undefined : `the peer says ${printable(error)}`;
}
