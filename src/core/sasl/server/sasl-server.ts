import { AuthenticationError, ProtocolError } from "../../errors.js";
import { isPromise } from "../../kinds.js";
import { SASL_CHALLENGE, SASL_INIT, SASL_MECHANISMS, SASL_OUTCOME, SASL_RESPONSE } from "../../types/descriptors.js";
import type { Reader } from "../../types/reader.js";
import type { ServerMechanism, Verdict } from "../mechanism.js";
import { readSaslData, type SaslStream, saslData, saslFrame, saslHeader } from "../sasl.js";
import { type SaslEvents, SaslExchange, type SaslStep } from "../sasl-exchange.js";
import type { Authenticator } from "./authenticator.js";
import { serverMechanism } from "./server-mechanisms.js";

/**
 * Server side of the SASL exchange (security 5.3). A client may send all its messages at once. The exchange fails with
 * AuthenticationError after it has sent the refusal to the client, and with ProtocolError when the peer uses another
 * protocol. If ANONYMOUS is offered, a client may skip SASL: the result has no mechanism, and the rest begins with the
 * AMQP header.
 */
export class SaslServer {
  readonly #authenticator: Authenticator;
  readonly #clientName: string | undefined;
  readonly #offered: readonly string[];
  readonly #send: (bytes: Uint8Array) => void;
  readonly #exchange: SaslExchange;
  /** Handles the next message of the client. */
  #take = (stream: SaslStream): SaslStep | Promise<SaslStep> => this.#takeHeader(stream);

  /** `clientName`: the name in the client's certificate, if it has one. */
  constructor(authenticator: Authenticator, clientName: string | undefined, events: SaslEvents) {
    this.#authenticator = authenticator;
    this.#clientName = clientName;
    this.#offered = authenticator.offered(clientName);
    this.#send = (bytes) => events.send(bytes);
    this.#exchange = new SaslExchange(events, (stream) => this.#take(stream));
  }

  receive(bytes: Uint8Array): void {
    this.#exchange.receive(bytes);
  }

  /** An unsupported header is answered with the supported one (transport 2.2). */
  #takeHeader(stream: SaslStream): SaslStep {
    const protocol = stream.protocol();
    if (protocol === undefined) return "more";
    if (protocol === "AMQP 1.0" && this.#offered.includes("ANONYMOUS")) return { mechanism: "" };
    this.#send(saslHeader());
    if (protocol === "AMQP 1.0") throw new AuthenticationError("the peer started without SASL, which is required");
    if (protocol !== "AMQP 1.0 with SASL") {
      throw new ProtocolError(`the peer speaks ${protocol}, not AMQP 1.0`, "amqp:not-implemented");
    }
    stream.takeHeader();
    this.#send(
      saslFrame(SASL_MECHANISMS, (writer) => {
        writer.symbols(this.#offered);
        return 1;
      }),
    );
    this.#take = () => this.#takeInit(stream);
    return "next";
  }

  #takeInit(stream: SaslStream): SaslStep | Promise<SaslStep> {
    const frame = stream.takeFrame(SASL_INIT);
    if (frame === undefined) return "more";
    const { name, response } = readInit(frame.fields);
    const mechanism = this.#offered.includes(name)
      ? serverMechanism(name, this.#authenticator, this.#clientName)
      : undefined;
    if (mechanism === undefined) {
      throw this.#refuse(`SASL mechanism ${JSON.stringify(name.slice(0, 32))} is not offered`);
    }
    this.#take = () => this.#takeResponse(stream, name, mechanism);
    return this.#judge(name, mechanism.respond(response));
  }

  #takeResponse(stream: SaslStream, name: string, mechanism: ServerMechanism): SaslStep | Promise<SaslStep> {
    const frame = stream.takeFrame(SASL_RESPONSE);
    if (frame === undefined) return "more";
    return this.#judge(name, mechanism.respond(readSaslData(frame.fields)));
  }

  #judge(mechanism: string, verdict: Verdict | Promise<Verdict>): SaslStep | Promise<SaslStep> {
    if (isPromise(verdict)) return verdict.then((later) => this.#judge(mechanism, later));
    switch (verdict.type) {
      case "challenge":
        this.#send(saslData(SASL_CHALLENGE, verdict.data));
        return "next";
      case "granted":
        this.#outcome(0);
        return { mechanism, username: verdict.username };
      case "refused":
        throw this.#refuse(verdict.reason);
      default:
        return verdict satisfies never;
    }
  }

  #refuse(reason: string): AuthenticationError {
    this.#outcome(1);
    return new AuthenticationError(reason);
  }

  #outcome(code: 0 | 1): void {
    this.#send(
      saslFrame(SASL_OUTCOME, (writer) => {
        writer.ubyte(code);
        return 1;
      }),
    );
  }
}

const NOTHING = new Uint8Array(0);

function readInit(fields: Reader): { name: string; response: Uint8Array } {
  const count = fields.list();
  const name = (count > 0 ? fields.string() : undefined) ?? "";
  return { name, response: (count > 1 ? fields.binary() : undefined) ?? NOTHING };
}
