import { readUtf8 } from "../../types/utf8.js";
import { describeUser, refused, type ServerMechanism, type Verdict } from "../mechanism.js";
import { unescapeName } from "../scram.js";
import type { Authenticator } from "./authenticator.js";
import { ScramServer } from "./scram-server.js";

/** Creates the server side of a mechanism for one exchange. Returns undefined for an unknown name. */
export function serverMechanism(
  name: string,
  authenticator: Authenticator,
  clientName: string | undefined,
): ServerMechanism | undefined {
  switch (name) {
    case "SCRAM-SHA-512":
      return new ScramServer("SHA-512", authenticator);
    case "SCRAM-SHA-256":
      return new ScramServer("SHA-256", authenticator);
    case "SCRAM-SHA-1":
      return new ScramServer("SHA-1", authenticator);
    case "OAUTHBEARER":
      return new BearerServer(authenticator, oauthUser, "invalid_token");
    case "XOAUTH2":
      return new BearerServer(authenticator, xoauth2User, "401");
    case "EXTERNAL":
      return { respond: (response) => external(textOf(response), clientName) };
    case "PLAIN":
      return { respond: (response) => plain(textOf(response), authenticator) };
    case "ANONYMOUS":
      return { respond: () => ({ type: "granted" }) };
    default:
      return undefined;
  }
}

/** EXTERNAL (RFC 4422, appendix A): the response is an authorization id, or empty. */
function external(authorization: string | undefined, clientName: string | undefined): Verdict {
  if (authorization === "" || authorization === clientName) return { type: "granted", username: clientName };
  return refused(`${describeUser(clientName ?? "")} requests to act as another user`);
}

/** PLAIN (RFC 4616). */
function plain(response: string | undefined, authenticator: Authenticator): Verdict {
  const [authorization, username, password, ...more] = response?.split("\0") ?? [];
  if (authorization === undefined || username === undefined || password === undefined || more.length > 0) {
    return refused("the response to PLAIN is malformed");
  }
  const user = describeUser(username);
  if (!authenticator.verifyPassword(username, password)) return refused(`${user} is unknown or has a wrong password`);
  if (authorization !== "" && authorization !== username) return refused(`${user} requests to act as another user`);
  return { type: "granted", username };
}

/** OAUTHBEARER (RFC 7628) or XOAUTH2. The refusal of a token is sent as a challenge before the outcome. */
class BearerServer implements ServerMechanism {
  readonly #authenticator: Authenticator;
  readonly #userOf: UserOf;
  readonly #status: string;
  #rejection: Verdict | undefined;

  /** `userOf` reads the user name from the first field. `status` is the status sent for an unknown token. */
  constructor(authenticator: Authenticator, userOf: UserOf, status: string) {
    this.#authenticator = authenticator;
    this.#userOf = userOf;
    this.#status = status;
  }

  respond(response: Uint8Array): Verdict {
    if (this.#rejection !== undefined) return this.#rejection;
    const [first = "", ...fields] = textOf(response)?.split("\x01") ?? [];
    const username = this.#userOf(first);
    const [, token] = fields.map((field) => /^auth=Bearer (.+)$/i.exec(field)).find((match) => match !== null) ?? [];
    if (username === undefined || token === undefined) return refused("the response with the token is malformed");
    if (this.#authenticator.acceptsToken(token)) return { type: "granted", username: username || undefined };
    this.#rejection = refused("the token is unknown");
    return { type: "challenge", data: new TextEncoder().encode(JSON.stringify({ status: this.#status })) };
  }
}

/** Returns the user name in the first field, empty if there is none; undefined when the field is malformed. */
type UserOf = (first: string) => string | undefined;

/** User name in a GS2 header (RFC 5801). */
function oauthUser(first: string): string | undefined {
  const [header, name = ""] = /^[ny],(?:a=([^,]*))?,$/.exec(first) ?? [];
  return header === undefined ? undefined : unescapeName(name);
}

function xoauth2User(first: string): string | undefined {
  return /^user=(.*)$/s.exec(first)?.[1];
}

function textOf(response: Uint8Array): string | undefined {
  return readUtf8(response, 0, response.length);
}
