import { AuthenticationError, ProtocolError } from "./errors.js";
import type { Reader } from "./reader.js";
import {
  type Credentials,
  MORE,
  SASL_INIT,
  SASL_MECHANISMS,
  SASL_OUTCOME,
  type SaslStep,
  SaslStream,
  saslFrame,
  saslHeader,
} from "./sasl.js";

export interface SaslClientOptions {
  /** Undefined: none, as in `{ anonymous: true }`. */
  credentials: Credentials | undefined;
  /** In order of preference. Absent or empty: PLAIN with a password and never ANONYMOUS, otherwise ANONYMOUS. */
  mechanisms?: readonly string[] | undefined;
  /** The virtual host, for peers that keep users for each. */
  hostname?: string | undefined;
}

/** The outcomes that are not 0, ok (security 5.3.3.6). */
const FAILURES: ReadonlyMap<number, string> = new Map([
  [1, "the credentials were refused (code 1, auth)"],
  [2, "a system error of the peer (code 2, sys)"],
  [3, "a permanent system error of the peer (code 3, sys-perm)"],
  [4, "a temporary system error of the peer (code 4, sys-temp)"],
]);

/**
 * The connecting side of the SASL exchange (security 5.3), fed with bytes. Its errors are AuthenticationError, when the
 * peer offers no mechanism that fits or refuses us, and ProtocolError for a peer that does something else than SASL.
 */
export class SaslClient {
  readonly #options: SaslClientOptions;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #stream = new SaslStream();
  #awaits: "header" | "mechanisms" | "outcome" = "header";
  #mechanism = "";

  constructor(options: SaslClientOptions, send: (bytes: Uint8Array) => void) {
    this.#options = options;
    this.#send = send;
  }

  start(): void {
    this.#send(saslHeader());
  }

  /** Not to be called again after it was done or has thrown. */
  receive(bytes: Uint8Array): SaslStep {
    this.#stream.push(bytes);
    if (this.#awaits === "header") {
      const protocol = this.#stream.protocol();
      if (protocol === undefined) return MORE;
      if (protocol !== "AMQP 1.0 with SASL") {
        throw new ProtocolError(`the peer speaks ${protocol}, not AMQP 1.0 with SASL`, "amqp:not-implemented");
      }
      this.#stream.takeHeader();
      this.#awaits = "mechanisms";
    }
    if (this.#awaits === "mechanisms") {
      const frame = this.#stream.takeFrame(SASL_MECHANISMS);
      if (frame === undefined) return MORE;
      this.#init(readMechanisms(frame));
      this.#awaits = "outcome";
    }
    const frame = this.#stream.takeFrame(SASL_OUTCOME);
    if (frame === undefined) return MORE;
    this.#check(readOutcome(frame));
    return { type: "done", mechanism: this.#mechanism, rest: this.#stream.rest };
  }

  #init(offered: readonly string[]): void {
    const { credentials, hostname } = this.#options;
    const mechanism = choose(this.#options, offered);
    const response = mechanism === "PLAIN" ? plainResponse(credentials) : new Uint8Array(0);
    this.#mechanism = mechanism;
    this.#send(
      saslFrame(SASL_INIT, (writer) => {
        writer.symbol(mechanism);
        writer.binary(response);
        if (hostname !== undefined) writer.string(hostname);
        return hostname === undefined ? 2 : 3;
      }),
    );
  }

  #check(code: number): void {
    if (code === 0) return;
    const failure = FAILURES.get(code);
    if (failure === undefined) throw new ProtocolError(`sasl-outcome with code ${code}`);
    const { credentials } = this.#options;
    const user = hasPassword(credentials) ? ` of user ${JSON.stringify(credentials.username)}` : "";
    throw new AuthenticationError(`${this.#mechanism}${user} failed: ${failure}`);
  }
}

function choose(
  { credentials, mechanisms = [] }: SaslClientOptions,
  offered: readonly string[],
): "PLAIN" | "ANONYMOUS" {
  const standard = hasPassword(credentials) ? "PLAIN" : "ANONYMOUS";
  const wanted = mechanisms.length === 0 ? [standard] : mechanisms.map((name) => name.toUpperCase());
  for (const name of wanted) {
    if (!offered.includes(name)) continue;
    if (name === "ANONYMOUS" || (name === "PLAIN" && hasPassword(credentials))) return name;
  }
  const theirs = offered.length === 0 ? "none" : offered.map(printable).join(", ");
  const remarks = wanted.flatMap((name) => {
    if (name === "PLAIN") return hasPassword(credentials) ? [] : ["PLAIN needs a username and a password"];
    return name === "ANONYMOUS" ? [] : [`${name} is not supported`];
  });
  const because = remarks.length === 0 ? "" : ` (${remarks.join("; ")})`;
  throw new AuthenticationError(
    `the SASL mechanisms of the peer are ${theirs}; ours are ${wanted.join(", ")}${because}`,
  );
}

/** RFC 4616: an empty authorization id, the user and the password, each behind a NUL. */
function plainResponse(credentials: Credentials | undefined): Uint8Array {
  if (!hasPassword(credentials)) throw new AuthenticationError("PLAIN needs a username and a password");
  for (const field of ["username", "password"] as const) {
    if (credentials[field].includes("\0")) {
      throw new AuthenticationError(`the ${field} holds a NUL character, which PLAIN cannot carry`);
    }
  }
  return new TextEncoder().encode(`\0${credentials.username}\0${credentials.password}`);
}

function hasPassword(credentials: Credentials | undefined): credentials is { username: string; password: string } {
  return credentials !== undefined && "password" in credentials;
}

function readMechanisms(frame: Reader): string[] {
  return frame.list() > 0 ? frame.symbols() : [];
}

function readOutcome(frame: Reader): number {
  const code = frame.list() > 0 ? frame.ubyte() : undefined;
  if (code === undefined) throw new ProtocolError("sasl-outcome without a code");
  return code;
}

/** Names off the wire go into logs and terminals. */
function printable(name: string): string {
  return name.replace(/[^\x21-\x7e]/g, "?");
}
