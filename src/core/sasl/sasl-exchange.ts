import { ProtocolError } from "../errors.js";
import { SaslStream } from "./sasl.js";

/** How an exchange ended well. */
export interface SaslResult {
  /** Empty when the peer did without SASL. */
  readonly mechanism: string;
  /** Whom the server has let in; absent for ANONYMOUS, and for a token that came without a name. */
  readonly username?: string | undefined;
  /** The bytes behind the exchange, which belong to AMQP. */
  readonly rest: Uint8Array;
}

/** What an exchange tells: what it has to say, and then once how it ended. */
export interface SaslEvents {
  send(bytes: Uint8Array): void;
  done(result: SaslResult): void;
  failed(error: unknown): void;
}

/** What became of one step: too little has come for it, the next may follow, or the exchange is done. */
export type SaslStep = "more" | "next" | Omit<SaslResult, "rest">;

/** What may come while a step takes its time. A client may say the first things of AMQP early. */
const MAX_WAITING_BYTES = 65_536;

/**
 * Either side's way through SASL, fed with bytes: one step after another, of which those that compute take time. What
 * comes meanwhile waits. Nothing is told after the end.
 */
export class SaslExchange {
  readonly #stream = new SaslStream();
  readonly #events: SaslEvents;
  readonly #step: (stream: SaslStream) => SaslStep | Promise<SaslStep>;
  #state: "idle" | "busy" | "over" = "idle";

  /** A step takes what it needs from the stream, and ends the exchange with what it throws. */
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
    this.#fail(new ProtocolError(`${length} bytes came in the middle of SASL`, "amqp:resource-limit-exceeded"));
  }

  #advance(first?: SaslStep): void {
    try {
      let step: SaslStep | Promise<SaslStep> = first ?? this.#step(this.#stream);
      while (step === "next") step = this.#step(this.#stream);
      if (step instanceof Promise) return this.#await(step);
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
