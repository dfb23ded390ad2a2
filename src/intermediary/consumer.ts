import { toError } from "../core/errors.js";
import type { Outcome } from "../core/messages/outcome.js";
import type { ConsumerLink, ConsumerSender } from "./links.js";
import type { Traffic } from "./node.js";

export interface ConsumerHandlers {
  onCredit(consumer: Consumer, draining: boolean): void;
  onDetach(consumer: Consumer): void;
}

/** A client's link that receives messages from an address. */
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

  /** Number of messages that can be sent now: the credit, less what is queued for the link. */
  get room(): number {
    return this.#sender.credit - this.#sender.queued;
  }

  /** Number of messages that were passed to the link and have no outcome yet. */
  get unsettled(): number {
    return this.#unsettled;
  }

  /** Sends a message in the settle mode of the consumer's attach; `settled` decides when that mode is `mixed`. */
  send(payload: Uint8Array, settled: boolean, onOutcome: (outcome: Outcome) => void): void {
    this.#unsettled++;
    this.#traffic.passed++;
    const settle = (outcome: Outcome): void => {
      this.#unsettled--;
      onOutcome(outcome);
    };
    const mode = this.#settleMode;
    this.#sender
      .send(payload, { settled: mode === "settled" || (settled && mode === "mixed") })
      .then(settle, (thrown) =>
        settle({
          type: "rejected",
          error: { condition: "amqp:internal-error", description: toError(thrown).message },
        }),
      );
  }
}
