import type { Deadline } from "../deadlines.js";
import type { Message } from "../messages/message.js";
import { ACCEPTED, type Outcome } from "../messages/outcome.js";

/** The link that an outgoing message leaves on. */
export interface OutgoingLink {
  readonly name: string;
  readonly handle: number;
  /** Largest message that the peer accepts, in bytes. Undefined: no limit. */
  readonly maxMessageBytes: number | undefined;
  /** Sends the messages that credit and window allow. */
  pump(): void;
}

const NOTHING = new Uint8Array(0);

/** One message on its way out, from `send` to its outcome. */
export class Outgoing {
  readonly sender: OutgoingLink;
  /** Nothing once it has left: however long the peer takes to answer, it is not kept for that. */
  message: Message | Uint8Array;
  readonly settled: boolean;
  readonly #deadline: Deadline | undefined;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #reject: (reason: unknown) => void;
  deliveryId = 0;
  #isOver = false;
  /** What does not fit one frame, encoded, and how much of it has left. */
  payload: Uint8Array | undefined;
  sentBytes = 0;

  constructor(
    sender: OutgoingLink,
    message: Message | Uint8Array,
    settled: boolean,
    deadline: Deadline | undefined,
    resolve: (outcome: Outcome) => void,
    reject: (reason: unknown) => void,
  ) {
    this.sender = sender;
    this.message = message;
    this.settled = settled;
    this.#deadline = deadline;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Its outcome is known, or nobody waits for it any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Some of it has left. It waits for the window, until `breakOff`. */
  begun(breakOff: (reason: unknown) => void): void {
    this.message = NOTHING;
    this.#deadline?.continueWait("credit", breakOff);
  }

  /** All of it has left: a settled one is done, any other waits for the peer. */
  transferred(abandoned: (outgoing: Outgoing) => void): void {
    this.message = NOTHING;
    if (this.#isOver) return;
    if (this.settled) {
      this.settle(ACCEPTED);
      return;
    }
    this.#deadline?.beginWait("acknowledgement", (reason) => {
      abandoned(this);
      this.fail(reason);
    });
  }

  /** Only the first end counts: by the next one its deadline may be limiting something else. */
  settle(outcome: Outcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deadline?.endWait();
    this.#resolve(outcome);
  }

  /** What carried it is gone. A message whose last frame has not left cannot have got through. */
  connectionLost(error: Error): void {
    this.settle({ type: this.payload === undefined ? "unknown" : "unsent", error });
  }

  fail(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deadline?.endWait();
    this.#reject(reason);
  }
}
