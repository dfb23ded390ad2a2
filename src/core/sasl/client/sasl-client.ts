import { AuthenticationError, ProtocolError } from "../../errors.js";
import { isPromise } from "../../kinds.js";
import { SASL_CHALLENGE, SASL_INIT, SASL_MECHANISMS, SASL_OUTCOME, SASL_RESPONSE } from "../../types/descriptors.js";
import type { Reader } from "../../types/reader.js";
import type { ClientMechanism } from "../mechanism.js";
import { type Credentials, readSaslData, type SaslStream, saslData, saslFrame, saslHeader } from "../sasl.js";
import { type SaslEvents, SaslExchange, type SaslStep } from "../sasl-exchange.js";
import { chooseMechanism, describeLogin } from "./mechanism-choice.js";

export interface SaslClientOptions {
  /** Undefined means the same as `{ anonymous: true }`. */
  credentials: Credentials | undefined;
  /** Allowed mechanisms in order of preference. Default, also if empty: those for the credentials, SCRAM before PLAIN. */
  mechanisms?: readonly string[] | undefined;
  /** Virtual host, for peers that have separate users for each. */
  hostname?: string | undefined;
}

/** Outcome codes other than 0, ok (security 5.3.3.6). */
const FAILURES: ReadonlyMap<number, string> = new Map([
  [1, "the credentials were refused (code 1, auth)"],
  [2, "a system error of the peer (code 2, sys)"],
  [3, "a permanent system error of the peer (code 3, sys-perm)"],
  [4, "a temporary system error of the peer (code 4, sys-temp)"],
]);

/**
 * Client side of the SASL exchange (security 5.3). It fails with AuthenticationError when the peer offers no common
 * mechanism, refuses the credentials or does not prove that it knows them, and with ProtocolError when the peer violates
 * the protocol.
 */
export class SaslClient {
  readonly #options: SaslClientOptions;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #exchange: SaslExchange;
  /** Handles the next message of the peer. */
  #take = (stream: SaslStream): SaslStep | Promise<SaslStep> => this.#takeHeader(stream);

  constructor(options: SaslClientOptions, events: SaslEvents) {
    this.#options = options;
    this.#send = (bytes) => events.send(bytes);
    this.#exchange = new SaslExchange(events, (stream) => this.#take(stream));
  }

  start(): void {
    this.#send(saslHeader());
  }

  receive(bytes: Uint8Array): void {
    this.#exchange.receive(bytes);
  }

  #takeHeader(stream: SaslStream): SaslStep {
    const protocol = stream.protocol();
    if (protocol === undefined) return "more";
    if (protocol !== "AMQP 1.0 with SASL") {
      const hint = HINTS[protocol] ?? "";
      throw new ProtocolError(`the peer speaks ${protocol}, not AMQP 1.0 with SASL${hint}`, "amqp:not-implemented");
    }
    stream.takeHeader();
    this.#take = () => this.#takeMechanisms(stream);
    return "next";
  }

  #takeMechanisms(stream: SaslStream): SaslStep {
    const frame = stream.takeFrame(SASL_MECHANISMS);
    if (frame === undefined) return "more";
    const { credentials, mechanisms = [], hostname } = this.#options;
    const mechanism = chooseMechanism(credentials, mechanisms, readMechanisms(frame.fields));
    this.#send(
      saslFrame(SASL_INIT, (writer) => {
        writer.symbol(mechanism.name);
        writer.binary(mechanism.initialResponse);
        if (hostname !== undefined) writer.string(hostname);
        return hostname === undefined ? 2 : 3;
      }),
    );
    this.#take = () => this.#takeOutcome(stream, mechanism);
    return "next";
  }

  #takeOutcome(stream: SaslStream, mechanism: ClientMechanism): SaslStep | Promise<SaslStep> {
    const { name } = mechanism;
    const frame = mechanism.respond ? stream.takeFrame(SASL_OUTCOME, SASL_CHALLENGE) : stream.takeFrame(SASL_OUTCOME);
    if (frame === undefined) return "more";
    if (frame.code === SASL_OUTCOME) {
      this.#check(mechanism, readOutcome(frame.fields));
      return { mechanism: name };
    }
    const response = mechanism.respond?.(readSaslData(frame.fields)) ?? NOTHING;
    return isPromise(response) ? response.then((bytes) => this.#respond(bytes)) : this.#respond(response);
  }

  #respond(response: Uint8Array): SaslStep {
    this.#send(saslData(SASL_RESPONSE, response));
    return "next";
  }

  #check(mechanism: ClientMechanism, { code, additionalData }: SaslOutcome): void {
    if (code === 0) return mechanism.onSuccess?.(additionalData);
    const failure = FAILURES.get(code);
    if (failure === undefined) throw new ProtocolError(`sasl-outcome with code ${code}`);
    const detail = mechanism.failureReason?.(additionalData);
    const reason = detail === undefined ? failure : `${failure}: ${detail}`;
    throw new AuthenticationError(`${describeLogin(mechanism.name, this.#options.credentials)} failed: ${reason}`);
  }
}

/** The likely mistake, by the protocol of the peer. */
const HINTS: Readonly<Record<string, string>> = {
  HTTP: ": is amqp+ws:// meant?",
  TLS: ": use amqps:// (relay: --to-tls)",
};

interface SaslOutcome {
  code: number;
  additionalData: Uint8Array;
}

const NOTHING = new Uint8Array(0);

function readMechanisms(fields: Reader): string[] {
  return fields.list() > 0 ? fields.symbols() : [];
}

function readOutcome(fields: Reader): SaslOutcome {
  const count = fields.list();
  const code = count > 0 ? fields.ubyte() : undefined;
  if (code === undefined) throw new ProtocolError("sasl-outcome without a code");
  return { code, additionalData: (count > 1 ? fields.binary() : undefined) ?? NOTHING };
}
