import { toError } from "../core/errors.js";
import type { Outcome } from "../core/messages/outcome.js";
import type { ConsumerLink, ConsumerSender } from "./links.js";
import type { Traffic } from "./node.js";

export interface ConsumerHandlers {
  onCredit(consumer: Consumer, draining: boolean): void;
  onDetach(consumer: Consumer): void;
}

/** One client that takes messages from an address. */
export class Consumer {
  readonly #sender: ConsumerSender;
  readonly #settleMode: ConsumerLink["settleMode"];
  readonly #traffic: Traffic;
  #unsettled = 0;

  constructor(link: ConsumerLink, traffic: Traffic, handlers: ConsumerHandlers) {
    this.#settleMode = link.settleMode;
    this.#traffic = traffic;
    this.#sender = link.open({
      onCredit: (draining) => handlers.onCredit(this, draining),
      onDetach: () => handlers.onDetach(this),
    });
  }

  /** How many messages it takes now. */
  get room(): number {
    return this.#sender.credit - this.#sender.queued;
  }

  /** How many it has, or will get, and has not answered. */
  get unsettled(): number {
    return this.#unsettled;
  }

  /** Sends, settled if `settled` or if the consumer asked for it in its attach, which may also ask for the opposite. */
  send(payload: Uint8Array, settled: boolean, onOutcome: (outcome: Outcome) => void): void {
    this.#unsettled++;
    this.#traffic.passed++;
    const answered = (outcome: Outcome): void => {
      this.#unsettled--;
      onOutcome(outcome);
    };
    const mode = this.#settleMode;
    this.#sender
      .send(payload, { settled: mode === "settled" || (settled && mode === "mixed") })
      .then(answered, (thrown) =>
        answered({
          type: "rejected",
          error: { condition: "amqp:internal-error", description: toError(thrown).message },
        }),
      );
  }
}
