import { AuthenticationError, ProtocolError } from "../../errors.js";
import { readUtf8 } from "../../types/utf8.js";
import { type ClientMechanism, printable } from "../mechanism.js";
import { escapeName } from "../scram.js";

interface BearerInit {
  username?: string | undefined;
  token: string;
  /** Mechanism and user, the beginning of every error message. */
  login: string;
}

/** OAUTHBEARER (RFC 7628). */
export function oauthBearer({ username, token, login }: BearerInit): ClientMechanism {
  const authorization = username === undefined ? "" : `a=${escapeName(checked(login, "username", username))}`;
  const message = `n,${authorization},\x01auth=Bearer ${checked(login, "token", token)}\x01\x01`;
  return new BearerClient("OAUTHBEARER", message, Uint8Array.of(1), token);
}

/** XOAUTH2, the predecessor of OAUTHBEARER by Google and Microsoft. */
export function xoauth2({ username = "", token, login }: BearerInit): ClientMechanism {
  const message = `user=${checked(login, "username", username)}\x01auth=Bearer ${checked(login, "token", token)}\x01\x01`;
  return new BearerClient("XOAUTH2", message, new Uint8Array(0), token);
}

/** Sends a token. A server that refuses it sends the reason as a challenge, which must be answered before the outcome. */
class BearerClient implements ClientMechanism {
  readonly name: string;
  readonly initialResponse: Uint8Array;
  readonly #acknowledgement: Uint8Array;
  readonly #token: string;
  #failureReason: string | undefined;

  constructor(name: string, message: string, acknowledgement: Uint8Array, token: string) {
    this.name = name;
    this.initialResponse = new TextEncoder().encode(message);
    this.#acknowledgement = acknowledgement;
    this.#token = token;
  }

  respond(challenge: Uint8Array): Uint8Array {
    if (this.#failureReason !== undefined)
      throw new ProtocolError(`${this.name}: unexpected challenge after the last one`);
    const status = statusOf(readUtf8(challenge, 0, challenge.length) ?? "") ?? "no reason";
    this.#failureReason = `the token was refused, the peer says ${printable(status.replaceAll(this.#token, "***"))}`;
    return this.#acknowledgement;
  }

  failureReason(): string | undefined {
    return this.#failureReason;
  }
}

function statusOf(json: string): string | undefined {
  try {
    const { status }: { status?: unknown } = Object(JSON.parse(json));
    return status === undefined ? undefined : String(status);
  } catch {
    return undefined;
  }
}

/** Refuses control characters, which would end a field or begin another one. */
function checked(login: string, field: "username" | "token", text: string): string {
  const isValid = field === "token" ? /^[!-~]+$/.test(text) : !/[\p{Cc}\p{Cs}]/u.test(text);
  if (isValid) return text;
  throw new AuthenticationError(`${login} failed: the ${field} is empty or contains an invalid character`);
}
