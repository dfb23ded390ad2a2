import { AuthenticationError, ProtocolError } from "./errors.js";
import type { Reader } from "./reader.js";
import {
  MORE,
  SASL_INIT,
  SASL_MECHANISMS,
  SASL_OUTCOME,
  type SaslStep,
  SaslStream,
  saslFrame,
  saslHeader,
} from "./sasl.js";
import { readUtf8 } from "./utf8.js";

export interface SaslServerOptions {
  /** Offer ANONYMOUS. */
  anonymous: boolean;
  /** Offer PLAIN; true lets the user in. */
  verify?: ((username: string, password: string) => boolean) | undefined;
  /** Refuse a peer that begins with the AMQP header, without SASL. */
  required: boolean;
}

/**
 * The accepting side of the SASL exchange (security 5.3), fed with bytes; a client may send everything in one piece. A
 * refused client has been told so when AuthenticationError is thrown; a peer that speaks something else is a ProtocolError.
 */
export class SaslServer {
  readonly #options: SaslServerOptions;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #stream = new SaslStream();
  #begun = false;

  constructor(options: SaslServerOptions, send: (bytes: Uint8Array) => void) {
    this.#options = options;
    this.#send = send;
  }

  /** Not to be called again after it was done or has thrown. Done without a mechanism: `rest` begins with the AMQP header. */
  receive(bytes: Uint8Array): SaslStep {
    this.#stream.push(bytes);
    if (!this.#begun) {
      const protocol = this.#stream.protocol();
      if (protocol === undefined) return MORE;
      if (protocol === "AMQP 1.0" && !this.#options.required) {
        return { type: "done", mechanism: "", rest: this.#stream.rest };
      }
      this.#begin(protocol);
    }
    const frame = this.#stream.takeFrame(SASL_INIT);
    if (frame === undefined) return MORE;
    return { type: "done", ...this.#authenticate(frame), rest: this.#stream.rest };
  }

  /** Transport 2.2: whoever gets a header that he does not want answers with the one that he does. */
  #begin(protocol: string): void {
    this.#send(saslHeader());
    if (protocol === "AMQP 1.0") throw new AuthenticationError("the peer begins without SASL, which is required here");
    if (protocol !== "AMQP 1.0 with SASL") {
      throw new ProtocolError(`the peer speaks ${protocol}, not AMQP 1.0`, "amqp:not-implemented");
    }
    this.#begun = true;
    this.#stream.takeHeader();
    this.#send(
      saslFrame(SASL_MECHANISMS, (writer) => {
        writer.symbols(this.#mechanisms());
        return 1;
      }),
    );
  }

  #authenticate(init: Reader): { mechanism: string; username?: string } {
    const count = init.list();
    const mechanism = (count > 0 ? init.symbol() : undefined) ?? "";
    const response = (count > 1 ? init.binary() : undefined) ?? new Uint8Array(0);
    if (!this.#mechanisms().includes(mechanism)) {
      throw this.#refuse(`SASL mechanism ${JSON.stringify(mechanism.slice(0, 32))} is not offered`);
    }
    if (mechanism === "ANONYMOUS") {
      this.#outcome(0);
      return { mechanism };
    }
    const [authorization, username, password, ...more] = readUtf8(response, 0, response.length)?.split("\0") ?? [];
    if (authorization === undefined || username === undefined || password === undefined || more.length > 0) {
      throw this.#refuse("the response to PLAIN is malformed");
    }
    const known = this.#options.verify?.(username, password) === true;
    const user = `user ${JSON.stringify(username.slice(0, 64))}`;
    if (!known) throw this.#refuse(`${user} is unknown or has another password`);
    if (authorization !== "" && authorization !== username) throw this.#refuse(`${user} asks to act as somebody else`);
    this.#outcome(0);
    return { mechanism, username };
  }

  /** Strongest first: many clients take the first that they can. */
  #mechanisms(): string[] {
    const { anonymous, verify } = this.#options;
    return [...(verify === undefined ? [] : ["PLAIN"]), ...(anonymous ? ["ANONYMOUS"] : [])];
  }

  #refuse(description: string): AuthenticationError {
    this.#outcome(1);
    return new AuthenticationError(description);
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
