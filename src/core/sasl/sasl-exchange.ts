import { ProtocolError } from "../errors.js";
import { isPromise } from "../kinds.js";
import { SaslStream } from "./sasl.js";

/** Result of a successful exchange. */
export interface SaslResult {
  /** Mechanism that was used; empty when the peer did not use SASL. */
  readonly mechanism: string;
  /** Authenticated user, on the server; omitted for ANONYMOUS and for a token without a user name. */
  readonly username?: string | undefined;
  /** Bytes received after the exchange, which belong to AMQP. */
  readonly rest: Uint8Array;
}

/** Events of an exchange: bytes to send, and then once its result or its error. */
export interface SaslEvents {
  send(bytes: Uint8Array): void;
  done(result: SaslResult): void;
  failed(error: unknown): void;
}

/** Result of a step: it needs more bytes, the next step can run, or the exchange is done. */
export type SaslStep = "more" | "next" | Omit<SaslResult, "rest">;

/** Maximum number of bytes that wait for an asynchronous step. A client may send the first AMQP frames early. */
const MAX_WAITING_BYTES = 65_536;

/**
 * A SASL exchange of either side, which runs one step after another on the bytes that it receives. Bytes that arrive
 * during an asynchronous step wait. There are no events after the end.
 */
export class SaslExchange {
  readonly #stream = new SaslStream();
  readonly #events: SaslEvents;
  readonly #step: (stream: SaslStream) => SaslStep | Promise<SaslStep>;
  #state: "idle" | "busy" | "over" = "idle";

  /** `step` takes frames from the stream. If it throws, the exchange fails with that error. */
  constructor(events: SaslEvents, step: (stream: SaslStream) => SaslStep | Promise<SaslStep>) {
    this.#events = events;
    this.#step = step;
  }

  receive(bytes: Uint8Array): void {
    if (this.#state === "over") return;
    this.#stream.push(bytes);
    if (this.#state === "idle") return this.#advance();
    const { length } = this.#stream.rest;
    if (length <= MAX_WAITING_BYTES) return;
    this.#fail(
      new ProtocolError(
        `received ${length} bytes during SASL, the maximum is ${MAX_WAITING_BYTES}`,
        "amqp:resource-limit-exceeded",
      ),
    );
  }

  #advance(first?: SaslStep): void {
    try {
      let step: SaslStep | Promise<SaslStep> = first ?? this.#step(this.#stream);
      while (step === "next") step = this.#step(this.#stream);
      if (isPromise(step)) return this.#await(step);
      if (step === "more") return;
      this.#events.done({ ...step, rest: this.#stream.rest });
      this.#state = "over";
    } catch (error) {
      this.#fail(error);
    }
  }

  #await(step: Promise<SaslStep>): void {
    this.#state = "busy";
    step.then(
      (done) => {
        if (this.#state === "over") return;
        this.#state = "idle";
        this.#advance(done);
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #fail(error: unknown): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#events.failed(error);
  }
}
