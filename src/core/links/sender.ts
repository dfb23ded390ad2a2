import type { Deadline } from "../deadlines.js";
import type { Flow } from "../frames/performatives.js";
import type { Message } from "../messages/message.js";
import type { Outcome } from "../messages/outcome.js";
import { serialAdd, serialDistance } from "../types/serial.js";
import { Link, type LinkInit, type LinkSession, type RemoteAttach, type Terminus } from "./link.js";
import { Outgoing } from "./outgoing.js";

export interface SenderInit extends LinkInit {
  /** After every flow that changed the credit. `draining`: what is not used before this returns goes back to the peer. */
  onCredit?: ((draining: boolean) => void) | undefined;
}

export interface SendOptions {
  /** Sent settled: nobody will say what became of it. */
  settled: boolean;
  deadline?: Deadline | undefined;
}

/** A sending link: what it is given leaves in order, each when the peer has granted credit for it. */
export class Sender extends Link {
  readonly #onCredit: SenderInit["onCredit"];
  readonly #queue = new Set<Outgoing>();
  /** Begun, with frames still to come: nothing else may leave on this link before. */
  #partial: Outgoing | undefined;
  #credit = 0;
  #deliveryCount = 0;

  constructor(session: LinkSession, init: SenderInit) {
    super(session, init);
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
   * `deadline` ends it with, or when the message cannot be encoded; a lost link is an outcome:
   * `unsent` or `unknown`. A Uint8Array is an encoded message and passes through.
   */
  send(message: Message | Uint8Array, { settled, deadline }: SendOptions): Promise<Outcome> {
    if (this.error !== undefined) return Promise.resolve({ type: "unsent", error: this.error });
    return new Promise((resolve, reject) => {
      deadline?.throwIfOver();
      const outgoing = new Outgoing(this, message, settled, deadline, resolve, reject);
      if (this.#credit > 0 && this.#queue.size === 0 && this.#partial === undefined && this.#begin(outgoing)) return;
      this.#queue.add(outgoing);
      deadline?.beginWait("credit", (reason) => {
        this.#queue.delete(outgoing);
        outgoing.fail(reason);
      });
    });
  }

  /** @internal Sends what credit and window allow. */
  pump(): void {
    if (this.#partial !== undefined) {
      if (!this.session.outgoing.transferRest(this.#partial)) return;
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
  override onFlow({ linkCredit, deliveryCount, drain, echo }: Flow): void {
    if (!this.attached) return; // it was under way when we closed the link
    if (linkCredit !== undefined) {
      const underWay = serialDistance(this.#deliveryCount, deliveryCount ?? 0);
      this.#credit = Math.max(0, linkCredit - underWay);
    }
    this.pump();
    this.#tellCredit(drain);
    if (drain) {
      this.#deliveryCount = serialAdd(this.#deliveryCount, this.#credit);
      this.#credit = 0;
    }
    if (this.attached && (drain || echo)) {
      this.session.writeLinkFlow(this.handle, this.#deliveryCount, this.#credit, drain);
    }
  }

  #tellCredit(draining: boolean): void {
    try {
      this.#onCredit?.(draining);
    } catch (thrown) {
      this.session.logCallbackError("onCredit", this.name, thrown);
    }
  }

  protected override remoteTerminus(remote: RemoteAttach): Terminus | undefined {
    return remote.target;
  }

  protected override whenOpen(): void {}

  protected override beforeDetach(): void {}

  protected override onLost(error: Error): void {
    this.session.outgoing.forget(this, error);
    this.#partial?.connectionLost(error);
    this.#partial = undefined;
    this.#credit = 0;
    const queued = [...this.#queue];
    this.#queue.clear();
    for (const outgoing of queued) outgoing.settle({ type: "unsent", error });
  }

  #begin(outgoing: Outgoing): boolean {
    const progress = this.session.outgoing.transfer(outgoing);
    if (progress === "blocked") return false;
    if (progress === "refused") return true;
    this.#credit--;
    this.#deliveryCount = serialAdd(this.#deliveryCount, 1);
    if (progress === "partial") {
      this.#partial = outgoing;
      outgoing.begun((reason) => this.#breakOff(outgoing, reason));
    }
    return true;
  }

  /** Its time is over: the peer is told to forget the part that it has. */
  #breakOff(outgoing: Outgoing, reason: unknown): void {
    this.session.outgoing.abandon(outgoing);
    outgoing.fail(reason);
    this.pump();
  }
}
