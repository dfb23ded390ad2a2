import { equalBytes } from "../../types/bytes.js";
import { toBase64 } from "../base64.js";
import { saslprep } from "../saslprep.js";
import { hmac } from "../scram.js";

export interface AuthenticatorInit {
  /** Name -> password: for PLAIN and SCRAM. */
  users?: ReadonlyMap<string, string> | undefined;
  /** For OAUTHBEARER and XOAUTH2. */
  tokens?: ReadonlySet<string> | undefined;
  /**
   * What is offered, in this order. Absent: all that users, tokens and the client's certificate allow, and ANONYMOUS where
   * there are neither users nor tokens.
   */
  mechanisms?: readonly string[] | undefined;
}

/** What a mechanism lets in by. Strongest first: many clients take the first that they can. */
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
const encoder = new TextEncoder();

/**
 * Who is let in, and by which mechanisms. Secrets are compared in constant time, and who is unknown is found out as late
 * as who has the wrong password.
 */
export class Authenticator {
  readonly #mechanisms: readonly string[];
  readonly #users: ReadonlyMap<string, string>;
  /** Names and passwords as SCRAM has them. */
  readonly #prepared: ReadonlyMap<string, string>;
  readonly #tokens: ReadonlySet<string>;
  /** Also a password that nobody knows. */
  readonly #secret = toBase64(crypto.getRandomValues(new Uint8Array(32)));

  /** @throws Error that names a mechanism which there is not, or which lacks the users or tokens that it lets in by. */
  constructor({ users, tokens, mechanisms }: AuthenticatorInit = {}) {
    this.#mechanisms = mechanisms?.map((name) => checked(name, { users, tokens })) ?? standard({ users, tokens });
    this.#users = users ?? new Map();
    this.#tokens = tokens ?? new Set();
    this.#prepared = new Map(
      Array.from(this.#users, ([name, password]) => [saslprep(name) ?? name, saslprep(password) ?? this.#secret]),
    );
  }

  /** To a client with a certificate for this name, or without one. */
  offered(clientName: string | undefined): readonly string[] {
    return this.#mechanisms.filter((name) => name !== "EXTERNAL" || clientName !== undefined);
  }

  verifyPassword(username: string, password: string): boolean {
    const known = this.#users.get(username);
    return equalTexts(password, known ?? this.#secret) && known !== undefined;
  }

  acceptsToken(token: string): boolean {
    let taken = false;
    for (const one of this.#tokens) taken = equalTexts(token, one) || taken;
    return taken;
  }

  /** The password of a user by SCRAM's name; of somebody unknown, one that nobody has. */
  preparedPassword(username: string): string {
    return this.#prepared.get(username) ?? this.#secret;
  }

  /** The salt for a user by SCRAM's name, which stays the same, and exists for unknown ones too. */
  async salt(username: string): Promise<Uint8Array<ArrayBuffer>> {
    const all = await hmac("SHA-256", encoder.encode(this.#secret), username);
    return all.slice(0, SALT_BYTES);
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
  if (!MECHANISMS.has(name)) throw new Error(`${mechanism} is none of ${[...MECHANISMS.keys()].join(", ")}`);
  if ((need === "users" || need === "tokens") && means[need] === undefined) throw new Error(`${name} needs ${need}`);
  return name;
}

function equalTexts(a: string, b: string): boolean {
  return equalBytes(encoder.encode(a), encoder.encode(b));
}
