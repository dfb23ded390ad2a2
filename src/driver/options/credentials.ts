import { toError } from "../../core/errors.js";
import type { Credentials } from "../../core/sasl/sasl.js";
import { ConfigurationError, MessagingException } from "../exceptions.js";
import { isJsonObject } from "../values/json.js";
import type { TransportHost } from "./transport-url.js";

/** What a function that gives credentials is told of the attempt to connect that it is called for. */
export interface CredentialsRequest {
  /** From 1 on, until there is a connection: as in the status. */
  readonly attempt: number;
  /** Aborts when the credentials are of no use any more: the attempt took too long, or the transport is closed. */
  readonly signal: AbortSignal;
}

/** Gives the credentials for one attempt to connect. `host` has the URL's user and password, and the port. */
export type CredentialsFunction = (
  host: TransportHost,
  about: CredentialsRequest,
) => Credentials | Promise<Credentials>;

/**
 * What the user's function gives for one attempt.
 *
 * @throws MessagingException with what the function threw as its cause; ConfigurationError for something else than
 *   credentials, of which nothing is shown; the reason of the signal.
 */
export async function givenCredentials(
  give: CredentialsFunction,
  host: TransportHost,
  about: CredentialsRequest,
): Promise<Credentials> {
  const { signal } = about;
  signal.throwIfAborted();
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
  });
  try {
    return checkedCredentials(await Promise.race([aborted, called(give, host, about)]));
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** `user@realm`, as the option sasl_default_realm wants it of user names that name none. */
export function withRealm<C extends Credentials>(credentials: C, realm: string): C {
  if (!("username" in credentials) || credentials.username === undefined) return credentials;
  const { username } = credentials;
  return realm === "" || username.includes("@") ? credentials : { ...credentials, username: `${username}@${realm}` };
}

async function called(give: CredentialsFunction, host: TransportHost, about: CredentialsRequest): Promise<unknown> {
  try {
    return await give(host, about);
  } catch (thrown) {
    throw new MessagingException(`credentials: the function failed: ${toError(thrown).message}`, { cause: thrown });
  }
}

function checkedCredentials(value: unknown): Credentials {
  if (isJsonObject(value)) {
    const { username, password, token, external, anonymous } = value;
    const isNamed = typeof username === "string" && username !== "";
    if (isNamed && typeof password === "string") return { username, password };
    if ((isNamed || username === undefined) && typeof token === "string") return { username, token };
    if (external === true) return { external };
    if (anonymous === true) return { anonymous };
  }
  const good = "{ username, password }, { token }, { username, token }, { external: true } or { anonymous: true }";
  throw new ConfigurationError("credentials", `the function must give ${good}`);
}
