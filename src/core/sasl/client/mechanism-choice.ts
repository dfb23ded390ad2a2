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
  /** The credentials that it works with; undefined: any. */
  readonly needs: string | undefined;
  /** Whether it is tried with these without being asked for. */
  isStandard(credentials: Credentials | undefined): boolean;
  /** Undefined: not with these. */
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
 * The mechanism for a peer that offers these: the first wanted one that both sides can. When none is named, the strongest
 * that the credentials are for: ANONYMOUS only without any.
 *
 * @throws AuthenticationError when there is none, naming theirs and ours, or when the credentials do not fit into it.
 */
export function chooseMechanism(
  credentials: Credentials | undefined,
  wanted: readonly string[],
  offered: readonly string[],
): ClientMechanism {
  const standard = CHOICES.filter((choice) => choice.isStandard(credentials)).map(({ name }) => name);
  const names = wanted.length === 0 ? standard : wanted.map((name) => name.toUpperCase());
  const remarks: string[] = [];
  for (const name of names) {
    const choice = CHOICES.find((one) => one.name === name);
    if (choice === undefined) remarks.push(`${name} is not supported`);
    else if (!offered.includes(name)) continue;
    const mechanism = choice?.make(credentials);
    if (mechanism !== undefined) return mechanism;
    if (choice?.needs !== undefined) remarks.push(`${name} needs ${choice.needs}`);
  }
  const theirs = offered.length === 0 ? "none" : offered.map(printable).join(", ");
  const because = remarks.length === 0 ? "" : ` (${remarks.join("; ")})`;
  throw new AuthenticationError(
    `the SASL mechanisms of the peer are ${theirs}; ours are ${names.join(", ")}${because}`,
  );
}

/** For errors: which mechanism, and for whom. */
export function describeLogin(mechanism: string, credentials: Credentials | undefined): string {
  const username = credentials !== undefined && "username" in credentials ? credentials.username : undefined;
  return username === undefined ? mechanism : `${mechanism} of user ${JSON.stringify(username)}`;
}

type Make<C> = (credentials: C, login: string) => ClientMechanism;

function scram(hash: ScramHash): Choice {
  return withPassword(`SCRAM-${hash}`, (credentials, login) => new ScramClient({ ...credentials, hash, login }));
}

function withPassword(name: string, make: Make<Password>): Choice {
  const isOne = (given: Credentials | undefined): given is Password => given !== undefined && "password" in given;
  return choice(name, "a username and a password", isOne, make);
}

function withToken(name: string, make: Make<Token>): Choice {
  const isOne = (given: Credentials | undefined): given is Token => given !== undefined && "token" in given;
  return choice(name, "a token", isOne, make);
}

function choice<C extends Credentials>(
  name: string,
  needs: string,
  isOne: (given: Credentials | undefined) => given is C,
  make: Make<C>,
): Choice {
  return {
    name,
    needs,
    isStandard: isOne,
    make: (given) => (isOne(given) ? make(given, describeLogin(name, given)) : undefined),
  };
}

/** A mechanism that says nothing but its name. */
function bare(name: string, isStandard: (given: Credentials | undefined) => boolean): Choice {
  return { name, needs: undefined, isStandard, make: () => ({ name, initialResponse: new Uint8Array(0) }) };
}

/** RFC 4616: an empty authorization id, the user and the password, each behind a NUL. */
function plain({ username, password }: Password): ClientMechanism {
  for (const [field, text] of Object.entries({ username, password })) {
    if (text.includes("\0")) {
      throw new AuthenticationError(`the ${field} holds a NUL character, which PLAIN cannot carry`);
    }
  }
  return { name: "PLAIN", initialResponse: new TextEncoder().encode(`\0${username}\0${password}`) };
}
