import type { Deadline } from "../deadlines.js";
import type { Flow } from "../frames/performatives.js";
import type { Message } from "../messages/message.js";
import type { Outcome } from "../messages/outcome.js";
import { serialAdd, serialDistance } from "../types/serial.js";
import { Link, type LinkInit, type LinkSession, type RemoteAttach, type Terminus } from "./link.js";
import { Outgoing } from "./outgoing.js";

export interface SenderInit extends LinkInit {
  /** Called after every flow of the peer. With `draining`, credit that is unused when this returns is given back to the peer. */
  onCredit?: ((draining: boolean) => void) | undefined;
}

export interface SendOptions {
  /** Send the message settled: the peer reports no outcome. */
  settled: boolean;
  deadline?: Deadline | undefined;
  /** Called when the message waits for credit. Not called for a message that leaves at once. */
  onQueued?: (() => void) | undefined;
}

/** A sending link. Messages leave in order, each when the peer has granted credit for it. */
export class Sender extends Link {
  readonly #onCredit: SenderInit["onCredit"];
  readonly #queue = new Set<Outgoing>();
  /** The message whose frames have left in part. The next message waits for its last frame. */
  #partial: Outgoing | undefined;
  #credit = 0;
  #deliveryCount = 0;

  constructor(session: LinkSession, init: SenderInit) {
    super(session, init);
    this.#onCredit = init.onCredit;
  }

  /** Deliveries that the peer accepts now. */
  get credit(): number {
    return this.#credit;
  }

  /** True while the peer takes no message on the whole session: its last window was 0. */
  get isBlocked(): boolean {
    return this.session.outgoing.announced === 0;
  }

  /** Messages that wait for credit. */
  get queued(): number {
    return this.#queue.size;
  }

  /**
   * Waits for credit, transfers the message and resolves with its outcome. A settled message resolves as accepted once it
   * is handed over. A lost link is an outcome: `unsent` or `unknown`. A Uint8Array is an encoded message and is sent as it
   * is. Rejects only with the reason that ends `deadline`, or when the message cannot be encoded.
   */
  send(message: Message | Uint8Array, { settled, deadline, onQueued }: SendOptions): Promise<Outcome> {
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
      if (!outgoing.isOver) onQueued?.();
    });
  }

  /** @internal Sends the messages that credit and window allow. */
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

  /** @internal Transport 2.6.7: the credit is what the receiver granted, less the deliveries that it had not seen yet. */
  override onFlow({ linkCredit, deliveryCount, drain, echo }: Flow): void {
    if (!this.attached) return; // the peer sent it before it saw our detach
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

  /** The deadline has ended: `pump` aborts the delivery, so that the peer discards the part that it has. */
  #breakOff(outgoing: Outgoing, reason: unknown): void {
    this.session.outgoing.abandon(outgoing);
    outgoing.fail(reason);
    this.pump();
  }
}
