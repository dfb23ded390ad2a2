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

/** Without channel binding, and as nobody else. */
const GS2_HEADER = "n,,";

export interface ScramClientInit {
  hash: ScramHash;
  username: string;
  password: string;
  /** Begins every error: the mechanism and the user. */
  login: string;
  /** A test's; absent: random. */
  nonce?: string | undefined;
}

/** SCRAM (RFC 5802 and 7677): the password does not leave, and the peer has to show that it knows it too. */
export class ScramClient implements ClientMechanism {
  readonly name: string;
  readonly initialResponse: Uint8Array;
  readonly #hash: ScramHash;
  readonly #login: string;
  readonly #password: string;
  readonly #nonce: string;
  readonly #firstBare: string;
  #awaits: "first" | "final" | "outcome" = "first";
  /** The proof that the peer has to give. */
  #expected: Uint8Array | undefined;

  constructor({ hash, username, password, login, nonce = newNonce() }: ScramClientInit) {
    this.name = `SCRAM-${hash}`;
    this.#hash = hash;
    this.#login = login;
    // The types say that it is always there.
    if ((crypto.subtle as SubtleCrypto | undefined) === undefined) {
      const where = "which a page has only when it came by https or from this machine";
      throw this.#failed(`it needs WebCrypto (crypto.subtle), ${where}; sasl_mechanisms can name another mechanism`);
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
        throw new ProtocolError(`${this.#login}: a challenge behind the last one`);
      default:
        return this.#awaits satisfies never;
    }
  }

  onSuccess(additionalData: Uint8Array): void {
    if (this.#awaits === "outcome") return;
    if (additionalData.length > 0) return this.#verify(textOf(additionalData));
    throw this.#failed("the peer has not shown that it knows the password");
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
      throw this.#failed(`the peer wants ${iterations} iterations, ${MIN_ITERATIONS} to ${MAX_ITERATIONS} are done`);
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
    if (prepared === undefined) throw this.#failed(`the ${field} holds a character that SASLprep prohibits`);
    return prepared;
  }

  #failed(reason: string): AuthenticationError {
    return new AuthenticationError(`${this.#login} failed: ${reason}`);
  }
}

/** What is no UTF-8 is no message either. */
function textOf(bytes: Uint8Array): string {
  return readUtf8(bytes, 0, bytes.length) ?? "";
}

/** `e=` and one of RFC 5802's words, such as invalid-proof. */
function errorOf(message: string): string | undefined {
  const [, error] = /^e=([^,]+)/.exec(message) ?? [];
  return error === undefined ? undefined : `the peer says ${printable(error)}`;
}
