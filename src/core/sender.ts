import type { Deadline } from "./deadlines.js";
import { Link, type LinkInit, type RemoteAttach, type Terminus } from "./link.js";
import type { Message } from "./message.js";
import { ACCEPTED, type Outcome } from "./outcome.js";
import type { Flow } from "./performatives.js";
import { serialAdd } from "./serial.js";
import type { Session } from "./session.js";

export interface SenderInit extends LinkInit {
  /** After every flow that changed the credit. */
  onCredit?: (() => void) | undefined;
}

export interface SendOptions {
  /** Sent settled: nobody will say what became of it. */
  settled: boolean;
  deadline?: Deadline | undefined;
}

/** A sending link: what it is given leaves in order, each when the peer has granted credit for it. */
export class Sender extends Link {
  readonly #session: Session;
  readonly #onCredit: (() => void) | undefined;
  readonly #queue = new Set<Outgoing>();
  /** Begun, with frames still to come: nothing else may leave on this link before. */
  #partial: Outgoing | undefined;
  #credit = 0;
  #deliveryCount = 0;

  constructor(session: Session, init: SenderInit) {
    super(init);
    this.#session = session;
    this.#onCredit = init.onCredit;
  }

  /** How many deliveries the peer would take now. */
  get credit(): number {
    return this.#credit;
  }

  /** How many messages wait for credit. */
  get queued(): number {
    return this.#queue.size;
  }

  /**
   * Waits for credit, then transfers. A settled one resolves as accepted once it is handed over. Rejects only with what
   * `deadline` ends it with, or when the message cannot be encoded; a lost link is an outcome: `unsent` or `unknown`.
   * A Uint8Array is an encoded message and passes through.
   */
  send(message: Message | Uint8Array, { settled, deadline }: SendOptions): Promise<Outcome> {
    if (this.error !== undefined) return Promise.resolve({ type: "unsent", error: this.error });
    return new Promise((resolve, reject) => {
      deadline?.throwIfOver();
      const outgoing = new Outgoing(this, message, settled, deadline, resolve, reject);
      if (this.#credit > 0 && this.#queue.size === 0 && this.#partial === undefined && this.#begin(outgoing)) return;
      this.#queue.add(outgoing);
      deadline?.enter("credit", (reason) => {
        this.#queue.delete(outgoing);
        outgoing.fail(reason);
      });
    });
  }

  /** @internal Sends what credit and window allow. */
  pump(): void {
    if (this.#partial !== undefined) {
      if (!this.#session.outgoing.transferRest(this.#partial)) return;
      this.#partial = undefined;
    }
    for (const outgoing of this.#queue) {
      if (this.#credit === 0 || this.#partial !== undefined) return;
      try {
        if (!this.#begin(outgoing)) return;
      } catch (error) {
        outgoing.fail(error);
      }
      this.#queue.delete(outgoing);
    }
  }

  /** @internal Transport 2.6.7: credit is what the receiver granted less what is on its way to it. */
  onFlow(flow: Flow): void {
    if (flow.linkCredit !== undefined) {
      const underWay = serialAdd(this.#deliveryCount, -(flow.deliveryCount ?? 0));
      this.#credit = Math.max(0, flow.linkCredit - underWay);
    }
    this.pump();
    const unused = this.#credit;
    if (flow.drain && unused > 0 && this.#partial === undefined) {
      this.#deliveryCount = serialAdd(this.#deliveryCount, unused);
      this.#credit = 0;
    }
    if (flow.drain || flow.echo)
      this.#session.writeLinkFlow(this.handle, this.#deliveryCount, this.#credit, flow.drain);
    if (this.attached) this.#onCredit?.();
  }

  protected override remoteTerminus(remote: RemoteAttach): Terminus | undefined {
    return remote.target;
  }

  protected override whenOpen(): void {}

  protected override beforeDetach(): void {}

  protected override onLost(error: Error): void {
    this.#session.outgoing.forget(this, error);
    if (this.#partial?.settled) this.#partial.settle({ type: "unknown", error });
    this.#partial = undefined;
    this.#credit = 0;
    const queued = [...this.#queue];
    this.#queue.clear();
    for (const outgoing of queued) outgoing.settle({ type: "unsent", error });
  }

  #begin(outgoing: Outgoing): boolean {
    const progress = this.#session.outgoing.transfer(outgoing);
    if (progress === "blocked") return false;
    if (progress === "refused") return true;
    this.#credit--;
    this.#deliveryCount = serialAdd(this.#deliveryCount, 1);
    if (progress === "partial") this.#partial = outgoing;
    return true;
  }
}

/** One message on its way out, from `send` to its outcome. */
export class Outgoing {
  readonly sender: Sender;
  readonly message: Message | Uint8Array;
  readonly settled: boolean;
  readonly #deadline: Deadline | undefined;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #reject: (reason: unknown) => void;
  deliveryId = 0;
  /** What does not fit one frame, encoded, and how much of it has left. */
  payload: Uint8Array | undefined;
  sentBytes = 0;

  constructor(
    sender: Sender,
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

  /** Handed over: a settled one is done, any other waits for the peer. */
  transferred(abandoned: (outgoing: Outgoing) => void): void {
    if (this.settled) {
      this.settle(ACCEPTED);
      return;
    }
    this.#deadline?.enter("acknowledgement", (reason) => {
      abandoned(this);
      this.#reject(reason);
    });
  }

  settle(outcome: Outcome): void {
    this.#deadline?.leave();
    this.#resolve(outcome);
  }

  fail(reason: unknown): void {
    this.#deadline?.leave();
    this.#reject(reason);
  }
}
