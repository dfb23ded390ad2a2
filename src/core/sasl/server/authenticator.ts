import { equalBytes } from "../../types/bytes.js";
import { utf8Encoder } from "../../types/utf8.js";
import { toBase64 } from "../base64.js";
import { saslprep } from "../saslprep.js";
import { hmac } from "../scram.js";

export interface AuthenticatorInit {
  /** Passwords by user name, for PLAIN and SCRAM. */
  users?: ReadonlyMap<string, string> | undefined;
  /** Accepted tokens, for OAUTHBEARER and XOAUTH2. */
  tokens?: ReadonlySet<string> | undefined;
  /**
   * Mechanisms to offer, in this order. Default: all that users, tokens and the client's certificate permit, and
   * ANONYMOUS if both users and tokens are omitted.
   */
  mechanisms?: readonly string[] | undefined;
}

/** Requirement of each mechanism. Strongest first: many clients use the first one that they support. */
const MECHANISMS: ReadonlyMap<string, "users" | "tokens" | "certificate" | undefined> = new Map([
  ["SCRAM-SHA-512", "users"],
  ["SCRAM-SHA-256", "users"],
  ["SCRAM-SHA-1", "users"],
  ["OAUTHBEARER", "tokens"],
  ["XOAUTH2", "tokens"],
  ["EXTERNAL", "certificate"],
  ["PLAIN", "users"],
  ["ANONYMOUS", undefined],
]);

const SALT_BYTES = 16;

/**
 * Verifies clients and determines which mechanisms are offered. Secrets are compared in constant time, and an unknown
 * user is refused at the same step as a wrong password.
 */
export class Authenticator {
  readonly #mechanisms: readonly string[];
  readonly #users: ReadonlyMap<string, string>;
  /** Passwords by user name, both prepared for SCRAM. */
  readonly #prepared: ReadonlyMap<string, string>;
  readonly #tokens: ReadonlySet<string>;
  /** Random key for salts. Also the password of unknown users. */
  readonly #secret = toBase64(crypto.getRandomValues(new Uint8Array(32)));

  /** @throws Error when a mechanism is unknown, or requires users or tokens that are omitted. */
  constructor({ users, tokens, mechanisms }: AuthenticatorInit = {}) {
    this.#mechanisms = mechanisms?.map((name) => checked(name, { users, tokens })) ?? standard({ users, tokens });
    this.#users = users ?? new Map();
    this.#tokens = tokens ?? new Set();
    this.#prepared = new Map(
      Array.from(this.#users, ([name, password]) => [saslprep(name) ?? name, saslprep(password) ?? this.#secret]),
    );
  }

  /** Mechanisms to offer a client. `clientName`: the name in its certificate; undefined without a certificate. */
  offered(clientName: string | undefined): readonly string[] {
    return this.#mechanisms.filter((name) => name !== "EXTERNAL" || clientName !== undefined);
  }

  verifyPassword(username: string, password: string): boolean {
    const expected = this.#users.get(username);
    return equalTexts(password, expected ?? this.#secret) && expected !== undefined;
  }

  acceptsToken(token: string): boolean {
    let accepted = false;
    for (const candidate of this.#tokens) accepted = equalTexts(token, candidate) || accepted;
    return accepted;
  }

  /** Password of a user, by the name prepared for SCRAM. For an unknown user, a random secret. */
  preparedPassword(username: string): string {
    return this.#prepared.get(username) ?? this.#secret;
  }

  /** Salt of a user, by the name prepared for SCRAM. It is constant, and unknown users have one too. */
  async salt(username: string): Promise<Uint8Array<ArrayBuffer>> {
    const digest = await hmac("SHA-256", utf8Encoder().encode(this.#secret), username);
    return digest.slice(0, SALT_BYTES);
  }
}

type Means = Pick<AuthenticatorInit, "users" | "tokens">;

function standard(means: Means): string[] {
  const open = means.users === undefined && means.tokens === undefined;
  const isOffered = (need: ReturnType<typeof MECHANISMS.get>): boolean => {
    if (need === undefined) return open;
    return need === "certificate" || means[need] !== undefined;
  };
  return Array.from(MECHANISMS).flatMap(([name, need]) => (isOffered(need) ? [name] : []));
}

function checked(mechanism: string, means: Means): string {
  const name = mechanism.toUpperCase();
  const need = MECHANISMS.get(name);
  if (!MECHANISMS.has(name))
    throw new Error(`unknown mechanism ${mechanism}, must be one of ${[...MECHANISMS.keys()].join(", ")}`);
  if ((need === "users" || need === "tokens") && means[need] === undefined) throw new Error(`${name} requires ${need}`);
  return name;
}

function equalTexts(a: string, b: string): boolean {
  return equalBytes(utf8Encoder().encode(a), utf8Encoder().encode(b));
}
