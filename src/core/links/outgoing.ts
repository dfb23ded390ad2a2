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
  /** Empty once the message has left, so that its memory is free while the peer has not settled it. */
  message: Message | Uint8Array;
  readonly settled: boolean;
  readonly #deadline: Deadline | undefined;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #reject: (reason: unknown) => void;
  deliveryId = 0;
  #isOver = false;
  /** The encoded message while it is sent in several frames. */
  payload: Uint8Array | undefined;
  /** Bytes of `payload` that have left. */
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

  /** True when the outcome is known or `fail` was called. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Called when its first frames have left. The rest waits for the window; `breakOff` is called when the deadline ends. */
  begun(breakOff: (reason: unknown) => void): void {
    this.message = NOTHING;
    this.#deadline?.continueWait("credit", breakOff);
  }

  /**
   * Called when all of it has left. A settled message is done; any other waits for the peer's disposition. The wait begins
   * for both, because it ends the wait for credit at once.
   */
  transferred(abandoned: (outgoing: Outgoing) => void): void {
    this.message = NOTHING;
    if (this.#isOver) return;
    this.#deadline?.beginWait("acknowledgement", (reason) => {
      abandoned(this);
      this.fail(reason);
    });
    if (this.settled) this.settle(ACCEPTED);
  }

  /** Resolves with the outcome. Later calls are ignored: by then the deadline may limit another wait. */
  settle(outcome: Outcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deadline?.endWait();
    this.#resolve(outcome);
  }

  /** Settles after the link or the connection was lost. A message whose last frame has not left was not delivered: `unsent`. */
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
