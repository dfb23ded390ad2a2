import { offAbort, onAbort } from "../../core/abort.js";
import { toError } from "../../core/errors.js";
import type { Credentials } from "../../core/sasl/sasl.js";
import { ConfigurationError, MessagingException } from "../exceptions.js";
import { isJsonObject } from "../values/json.js";
import type { TransportHost } from "./transport-url.js";

/** The connection attempt that a {@link CredentialsFunction} is called for. */
export interface CredentialsRequest {
  /** Number of the attempt: counts from 1 until a connection is made, as in the status. */
  readonly attempt: number;
  /** Aborts when the attempt is over: it timed out, or the transport is closed. */
  readonly signal: AbortSignal;
}

/** Returns the credentials for one connection attempt. `host` holds the URL's user and password, and the port. */
export type CredentialsFunction = (
  host: TransportHost,
  request: CredentialsRequest,
) => Credentials | Promise<Credentials>;

/**
 * The credentials that the user's function returns for one connection attempt.
 *
 * @throws MessagingException when the function throws; its error is the cause.
 * @throws ConfigurationError when the function returns anything other than credentials; the message does not show the value.
 * @throws the reason of the signal when it aborts.
 */
export async function givenCredentials(
  give: CredentialsFunction,
  host: TransportHost,
  request: CredentialsRequest,
): Promise<Credentials> {
  const { signal } = request;
  signal.throwIfAborted();
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    onAbort(signal, abort);
  });
  try {
    return checkedCredentials(await Promise.race([aborted, called(give, host, request)]));
  } finally {
    offAbort(signal, abort);
  }
}

/** Appends `@realm` (the option sasl_default_realm) to a user name without a realm. */
export function withRealm<C extends Credentials>(credentials: C, realm: string): C {
  if (!("username" in credentials) || credentials.username === undefined) return credentials;
  const { username } = credentials;
  return realm === "" || username.includes("@") ? credentials : { ...credentials, username: `${username}@${realm}` };
}

async function called(give: CredentialsFunction, host: TransportHost, request: CredentialsRequest): Promise<unknown> {
  try {
    return await give(host, request);
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
  const accepted = "{ username, password }, { token }, { username, token }, { external: true } or { anonymous: true }";
  throw new ConfigurationError("credentials", `the function must return ${accepted}`);
}
