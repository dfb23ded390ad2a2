import { AuthenticationError } from "../../errors.js";
import { type ClientMechanism, printable } from "../mechanism.js";
import type { Credentials } from "../sasl.js";
import type { ScramHash } from "../scram.js";
import { oauthBearer, xoauth2 } from "./bearer-client.js";
import { ScramClient } from "./scram-client.js";

type Password = Extract<Credentials, { password: string }>;
type Token = Extract<Credentials, { token: string }>;

interface Choice {
  readonly name: string;
  /** Credentials that it requires; undefined: any. */
  readonly needs: string | undefined;
  /** Whether it is used for these credentials by default. */
  isStandard(credentials: Credentials | undefined): boolean;
  /** Returns undefined when the mechanism cannot be used with these credentials. */
  make(credentials: Credentials | undefined): ClientMechanism | undefined;
}

/** Strongest first. */
const CHOICES: readonly Choice[] = [
  scram("SHA-512"),
  scram("SHA-256"),
  scram("SHA-1"),
  withPassword("PLAIN", plain),
  withToken("OAUTHBEARER", (credentials, login) => oauthBearer({ ...credentials, login })),
  withToken("XOAUTH2", (credentials, login) => xoauth2({ ...credentials, login })),
  bare("EXTERNAL", (credentials) => credentials !== undefined && "external" in credentials),
  bare("ANONYMOUS", (credentials) => credentials === undefined || "anonymous" in credentials),
];

/**
 * Returns the first of the `allowed` mechanisms that the peer offers and that can be used with the credentials. Default,
 * if `allowed` is empty: the mechanisms for the credentials, strongest first; ANONYMOUS only without credentials.
 *
 * @throws AuthenticationError when there is no such mechanism, naming those of both sides, or when the mechanism does not
 * permit a character of the credentials.
 */
export function chooseMechanism(
  credentials: Credentials | undefined,
  allowed: readonly string[],
  offered: readonly string[],
): ClientMechanism {
  const standard = CHOICES.filter((choice) => choice.isStandard(credentials)).map(({ name }) => name);
  const names = allowed.length === 0 ? standard : allowed.map((name) => name.toUpperCase());
  const remarks: string[] = [];
  for (const name of names) {
    const choice = CHOICES.find((candidate) => candidate.name === name);
    if (choice === undefined) remarks.push(`${name} is not supported`);
    else if (!offered.includes(name)) continue;
    const mechanism = choice?.make(credentials);
    if (mechanism !== undefined) return mechanism;
    if (choice?.needs !== undefined) remarks.push(`${name} requires ${choice.needs}`);
  }
  const theirs = offered.length === 0 ? "none" : offered.map(printable).join(", ");
  const because = remarks.length === 0 ? "" : ` (${remarks.join("; ")})`;
  const login = allowed.length > 0 ? "" : ` ${credentials === undefined ? "without" : "with the given"} credentials`;
  throw new AuthenticationError(
    `no common SASL mechanism: the peer offers ${theirs}, the client allows ${names.join(", ")}${login}${because}`,
  );
}

/** Mechanism and user for error messages. */
export function describeLogin(mechanism: string, credentials: Credentials | undefined): string {
  const username = credentials !== undefined && "username" in credentials ? credentials.username : undefined;
  return username === undefined ? mechanism : `${mechanism} of user ${JSON.stringify(username)}`;
}

type Make<C> = (credentials: C, login: string) => ClientMechanism;

function scram(hash: ScramHash): Choice {
  return withPassword(`SCRAM-${hash}`, (credentials, login) => new ScramClient({ ...credentials, hash, login }));
}

function withPassword(name: string, make: Make<Password>): Choice {
  const accepts = (given: Credentials | undefined): given is Password => given !== undefined && "password" in given;
  return choice(name, "a username and a password", accepts, make);
}

function withToken(name: string, make: Make<Token>): Choice {
  const accepts = (given: Credentials | undefined): given is Token => given !== undefined && "token" in given;
  return choice(name, "a token", accepts, make);
}

function choice<C extends Credentials>(
  name: string,
  needs: string,
  accepts: (given: Credentials | undefined) => given is C,
  make: Make<C>,
): Choice {
  return {
    name,
    needs,
    isStandard: accepts,
    make: (given) => (accepts(given) ? make(given, describeLogin(name, given)) : undefined),
  };
}

/** A mechanism with an empty response. */
function bare(name: string, isStandard: (given: Credentials | undefined) => boolean): Choice {
  return { name, needs: undefined, isStandard, make: () => ({ name, initialResponse: new Uint8Array(0) }) };
}

/** PLAIN (RFC 4616): an empty authorization id, then user and password, each preceded by a NUL. */
function plain({ username, password }: Password): ClientMechanism {
  for (const [field, text] of Object.entries({ username, password })) {
    if (/\0|\p{Surrogate}/u.test(text)) {
      throw new AuthenticationError(
        `the ${field} contains a NUL character or half a surrogate pair, which PLAIN does not permit`,
      );
    }
  }
  return { name: "PLAIN", initialResponse: new TextEncoder().encode(`\0${username}\0${password}`) };
}
