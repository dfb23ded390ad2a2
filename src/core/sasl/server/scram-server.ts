import { equalBytes } from "../../types/bytes.js";
import { readUtf8 } from "../../types/utf8.js";
import { fromBase64, toBase64 } from "../base64.js";
import { describeUser, refused, type ServerMechanism, type Verdict } from "../mechanism.js";
import { MIN_ITERATIONS, newNonce, type ScramHash, scramProofs, unescapeName } from "../scram.js";
import type { Authenticator } from "./authenticator.js";

/** Server side of SCRAM (RFC 5802 and 7677), with passwords in clear text. */
export class ScramServer implements ServerMechanism {
  readonly #hash: ScramHash;
  readonly #authenticator: Authenticator;
  #handle: (text: string) => Verdict | Promise<Verdict> = (text) => this.#first(text);

  constructor(hash: ScramHash, authenticator: Authenticator) {
    this.#hash = hash;
    this.#authenticator = authenticator;
  }

  respond(response: Uint8Array): Verdict | Promise<Verdict> {
    return this.#handle(readUtf8(response, 0, response.length) ?? "");
  }

  #first(text: string): Verdict | Promise<Verdict> {
    const [, gs2, authorization, name, nonce] =
      /^([ny],(?:a=([^,]+))?,)n=([^,]+),r=([!-+\--~]+)(?:,|$)/.exec(text) ?? [];
    const username = name === undefined ? undefined : unescapeName(name);
    if (gs2 === undefined || nonce === undefined || username === undefined) {
      return refused("the first message is malformed or requires channel binding");
    }
    if (authorization !== undefined && authorization !== name) {
      return refused(`${describeUser(username)} requests to act as another user`);
    }
    return this.#challenge({ username, gs2, bare: text.slice(gs2.length), nonce: nonce + newNonce() });
  }

  async #challenge(first: ClientFirst): Promise<Verdict> {
    const { username, nonce } = first;
    const salt = await this.#authenticator.salt(username);
    const serverFirst = `r=${nonce},s=${toBase64(salt)},i=${MIN_ITERATIONS}`;
    this.#handle = (text) => this.#final(text, first, serverFirst, salt);
    return challenge(serverFirst);
  }

  async #final(text: string, first: ClientFirst, serverFirst: string, salt: Uint8Array<ArrayBuffer>): Promise<Verdict> {
    const { username, gs2, bare, nonce } = first;
    const [, withoutProof, binding, echoed, base64] =
      /^(c=([^,]+),r=([^,]+)(?:,[a-zA-Z]=[^,]*)*),p=([^,]+)$/.exec(text) ?? [];
    const proof = base64 === undefined ? undefined : fromBase64(base64);
    if (proof === undefined || binding === undefined) return refused("the final message is malformed");
    if (echoed !== nonce) return refused("the final message has a wrong nonce");
    if (binding !== toBase64(new TextEncoder().encode(gs2))) return refused("the final message has a wrong GS2 header");
    const proofs = await scramProofs({
      hash: this.#hash,
      password: this.#authenticator.preparedPassword(username),
      salt,
      iterations: MIN_ITERATIONS,
      authMessage: `${bare},${serverFirst},${withoutProof}`,
    });
    if (!equalBytes(proof, proofs.client))
      return refused(`${describeUser(username)} is unknown or has a wrong password`);
    this.#handle = () => ({ type: "granted", username });
    return challenge(`v=${toBase64(proofs.server)}`);
  }
}

interface ClientFirst {
  username: string;
  gs2: string;
  /** The message without its GS2 header. */
  bare: string;
  /** The client's nonce, followed by the server's. */
  nonce: string;
}

function challenge(text: string): Verdict {
  return { type: "challenge", data: new TextEncoder().encode(text) };
}
