import { AuthenticationError } from "../core/errors.js";
import type { Credentials } from "../core/sasl/sasl.js";
import { Writer } from "../core/types/writer.js";
import { writeEntries } from "./encoding.js";

/** SASL mechanisms of RabbitMQ. */
export type LoginMechanism = "PLAIN" | "AMQPLAIN" | "EXTERNAL";

/**
 * Returns the response of a mechanism. A token is sent as the password.
 *
 * @throws AuthenticationError when the mechanism cannot be used with the credentials.
 */
export function loginResponse(mechanism: LoginMechanism, credentials: Credentials | undefined): Uint8Array {
  if (mechanism === "EXTERNAL") return new Uint8Array(0);
  const { username, password } = loginOf(mechanism, credentials);
  if (mechanism === "PLAIN") return plain(username, password);
  const writer = new Writer(256);
  writeEntries(writer, "response", { LOGIN: username, PASSWORD: password });
  return writer.take();
}

function loginOf(mechanism: string, credentials: Credentials | undefined): { username: string; password: string } {
  if (credentials !== undefined) {
    if ("token" in credentials) return { username: credentials.username ?? "", password: credentials.token };
    if ("password" in credentials) return credentials;
  }
  throw new AuthenticationError(`${mechanism} requires a username and a password, or a token`);
}

/** PLAIN (RFC 4616): an empty authorization id, then user and password, each preceded by a NUL. */
function plain(username: string, password: string): Uint8Array {
  for (const [field, text] of Object.entries({ username, password })) {
    if (text.includes("\0")) {
      throw new AuthenticationError(`the ${field} contains a NUL character, which PLAIN does not permit`);
    }
  }
  return new TextEncoder().encode(`\0${username}\0${password}`);
}
