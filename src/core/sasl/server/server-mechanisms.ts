import { readUtf8 } from "../../types/utf8.js";
import { describeUser, refused, type ServerMechanism, type Verdict } from "../mechanism.js";
import { unescapeName } from "../scram.js";
import type { Authenticator } from "./authenticator.js";
import { ScramServer } from "./scram-server.js";

/** One exchange by a mechanism that was offered; undefined for a name that is none. */
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

/** RFC 4422, appendix A: the response is a name to act as, or nothing. */
function external(authorization: string | undefined, clientName: string | undefined): Verdict {
  if (authorization === "" || authorization === clientName) return { type: "granted", username: clientName };
  return refused(`${describeUser(clientName ?? "")} asks to act as somebody else`);
}

/** RFC 4616. */
function plain(response: string | undefined, authenticator: Authenticator): Verdict {
  const [authorization, username, password, ...more] = response?.split("\0") ?? [];
  if (authorization === undefined || username === undefined || password === undefined || more.length > 0) {
    return refused("the response to PLAIN is malformed");
  }
  const user = describeUser(username);
  if (!authenticator.verifyPassword(username, password)) return refused(`${user} is unknown or has another password`);
  if (authorization !== "" && authorization !== username) return refused(`${user} asks to act as somebody else`);
  return { type: "granted", username };
}

/** OAUTHBEARER (RFC 7628) or XOAUTH2: a bad token is told of in a challenge first. */
class BearerServer implements ServerMechanism {
  readonly #authenticator: Authenticator;
  readonly #userOf: UserOf;
  readonly #status: string;
  #rejection: Verdict | undefined;

  /** `userOf` reads the first field. `status`: how a bad token is called. */
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

/** The user that a first field names, empty for nobody; undefined for a field that is none. */
type UserOf = (first: string) => string | undefined;

/** RFC 5801: the GS2 header. */
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
