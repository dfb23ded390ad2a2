import { toError } from "../../core/errors.js";
import { ACCEPTED } from "../../core/messages/outcome.js";
import type { SendOutcome } from "../sending/outcomes.js";
import type { MessageSink } from "./broker-connection.js";
import { culpritsOf } from "./culprits.js";
import { DeclarationRefused } from "./declaration-refused.js";
import type { Publishing } from "./publishing.js";
import type { PublishingContext } from "./publishing-context.js";

/** The fate of a message on one channel. */
export type Fate =
  | Extract<SendOutcome, { type: "accepted" | "rejected" | "returned" }>
  /** The broker refused it alone: its exchange does not exist. */
  | { readonly type: "missing"; readonly error: Error }
  /** The channel ended before the broker confirmed it, or before it left. */
  | { readonly type: "lost"; readonly error: Error };

/** Where messages leave: a channel in confirm mode, or a link. */
export interface SinkChannel {
  readonly isOpen: boolean;
  /** True while messages can leave without waiting. */
  readonly writable: boolean;
  /** Messages that are sent and not confirmed yet. */
  readonly unconfirmed: number;
  /** Resolves when `writable` may have changed, and when the channel ends. Never rejects. */
  changed(): Promise<void>;
  /** Sends a message and resolves with its fate. Rejects when it cannot be encoded: nothing was sent. */
  publish(publishing: Publishing): Promise<Fate>;
}

/** Times that a message is sent again because its exchange does not exist, although it was declared. */
const MAX_MISSES = 3;
/** Errors of other messages after which a message is sent alone. Otherwise it might be interrupted for ever. */
const MAX_INTERRUPTIONS = 3;

/**
 * Sends messages on a channel. It is opened for the first message, and again after an error, which ends a channel with
 * everything on it. Messages leave in the order of the calls. Messages that an error of another one interrupts are sent
 * again, before all others.
 */
export class RecoveringSink implements MessageSink {
  readonly #context: PublishingContext;
  readonly #openChannel: () => Promise<SinkChannel>;
  /** The messages that cannot leave yet. */
  readonly #queue = new Set<Publishing>();
  #channel: SinkChannel | undefined;
  /** The messages whose exchange does not exist, on a channel that goes on. */
  #missing: Publishing[] = [];
  #interrupted: Publishing[] = [];
  /** The error that interrupted them. */
  #error: Error | undefined;
  #isRunning = false;
  /** Whether a message that must be alone is in flight. */
  #isAlone = false;

  constructor(context: PublishingContext, openChannel: () => Promise<SinkChannel>) {
    this.#context = context;
    this.#openChannel = openChannel;
  }

  /** Sends the message, or queues it until the channel is open and writable. */
  send(publishing: Publishing): void {
    const channel = this.#channel;
    const mustWait = this.#isRunning || this.#queue.size > 0 || this.#missing.length > 0 || this.#isAlone;
    if (channel?.writable && !mustWait) {
      this.#write(channel, publishing);
      return;
    }
    this.#queue.add(publishing);
    publishing.waitIn(this);
    this.#advance();
  }

  /** Called when a message of the queue is given up. */
  abandoned(publishing: Publishing): void {
    if (this.#queue.delete(publishing)) publishing.limit?.leave();
  }

  #write(channel: SinkChannel, publishing: Publishing): void {
    if (!publishing.leave()) {
      publishing.limit?.leave();
      return;
    }
    this.#isAlone = publishing.isSuspect;
    channel.publish(publishing).then(
      (fate) => this.#decided(publishing, fate),
      (thrown) => {
        publishing.fail(thrown);
        this.#done(publishing);
      },
    );
  }

  #decided(publishing: Publishing, fate: Fate): void {
    switch (fate.type) {
      case "missing":
        if (!isDeclarable(publishing)) return this.#finish(publishing, { type: "rejected", error: fate.error });
        this.#missing.push(publishing);
        return this.#advance();
      case "lost":
        if (!this.#context.isOpen) return this.#finish(publishing, { type: "unknown", error: fate.error });
        this.#error = fate.error;
        this.#interrupted.push(publishing);
        return this.#advance();
      default:
        return this.#finish(publishing, fate);
    }
  }

  #finish(publishing: Publishing, outcome: SendOutcome): void {
    publishing.settle(outcome);
    this.#done(publishing);
  }

  #done(publishing: Publishing): void {
    if (publishing.isSuspect) this.#isAlone = false;
    publishing.limit?.leave();
    if (this.#queue.size > 0 || this.#missing.length > 0) this.#advance();
  }

  #advance(): void {
    if (!this.#isRunning) void this.#run();
  }

  /** Runs until every message has left, or until the messages in flight must be confirmed first. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      while (this.#queue.size > 0 || this.#interrupted.length > 0 || this.#missing.length > 0) {
        if (!this.#context.isOpen) this.#lose(this.#context.lost);
        else if (this.#interrupted.length > 0) await this.#recover();
        else if (!this.#channel?.isOpen) await this.#open();
        else if (this.#missing.length > 0) {
          // Those behind them may be missing too: their order is kept when all are declared and sent again at once.
          if (this.#channel.unconfirmed > 0) return;
          await this.#recover();
        } else if (!this.#channel.writable) await this.#channel.changed();
        else if (!this.#writeQueue(this.#channel)) return;
      }
    } finally {
      this.#isRunning = false;
    }
  }

  /** Returns false when the messages in flight must be confirmed first. */
  #writeQueue(channel: SinkChannel): boolean {
    for (const publishing of this.#queue) {
      if (!channel.writable) return true;
      if ((this.#isAlone || publishing.isSuspect) && channel.unconfirmed > 0) return false;
      this.#queue.delete(publishing);
      this.#write(channel, publishing);
    }
    return true;
  }

  async #open(): Promise<void> {
    try {
      this.#channel = await this.#openChannel();
    } catch (thrown) {
      if (!this.#context.isOpen) return;
      const error = toError(thrown);
      this.#context.warnings.warn("no channel", `no channel for publishing: ${error.message}`);
      await this.#context.pause();
      this.#lose(error);
    }
  }

  /** Ends the wait of all messages. */
  #lose(error: Error): void {
    const lost = [...this.#missing, ...this.#interrupted, ...this.#queue];
    this.#missing = [];
    this.#interrupted = [];
    this.#queue.clear();
    for (const publishing of lost) {
      publishing.lost(error);
      publishing.limit?.leave();
    }
  }

  /** Settles the messages that an error of the channel is about, and queues the others again. */
  async #recover(): Promise<void> {
    await undefined; // the other messages of the channel are interrupted in the same turn
    const interrupted = this.#interrupted;
    const missing = this.#missing;
    this.#interrupted = [];
    this.#missing = [];
    this.#isAlone = false;
    const culprits = culpritsOf(this.#error, interrupted);
    const again = [...missing];
    for (const publishing of interrupted) {
      const isCulprit = culprits?.messages.has(publishing) === true;
      const isMissing = isCulprit && culprits?.isMissing === true && isDeclarable(publishing);
      if (isCulprit && !isMissing) {
        this.#finish(publishing, { type: "rejected", error: culprits?.error });
        continue;
      }
      if (isMissing) missing.push(publishing);
      else if (culprits === undefined || ++publishing.interruptions >= MAX_INTERRUPTIONS) publishing.isSuspect = true;
      again.push(publishing);
    }
    if (missing.length > 0) await this.#declareAgain(missing);
    this.#queueFirst(again);
  }

  /** Declares the exchanges of the messages. The broker deletes an exchange with `auto-delete` after its last queue. */
  async #declareAgain(missing: readonly Publishing[]): Promise<void> {
    const { declarer } = this.#context;
    for (const { route } of missing) declarer.forget(route.exchange);
    if (missing.some(({ misses }) => misses > 1)) await this.#context.pause();
    for (const route of new Set(missing.map(({ route }) => route))) {
      try {
        await declarer.declareRoute(route);
      } catch (thrown) {
        // Any other error ends the connection, or is met again by the message.
        if (!(thrown instanceof DeclarationRefused) || !thrown.isFinal) continue;
        for (const publishing of missing) {
          if (publishing.route === route) publishing.settle({ type: "rejected", error: thrown });
        }
      }
    }
  }

  #queueFirst(again: readonly Publishing[]): void {
    const others = [...this.#queue];
    this.#queue.clear();
    for (const publishing of again) {
      if (publishing.isDone) {
        this.#finish(publishing, ACCEPTED);
      } else {
        this.#queue.add(publishing);
        publishing.waitIn(this);
      }
    }
    for (const publishing of others) this.#queue.add(publishing);
  }
}

/** Counts a miss. Returns false when there is nothing to declare, or the message has missed its exchange too often. */
function isDeclarable(publishing: Publishing): boolean {
  return publishing.route.declaration !== undefined && ++publishing.misses <= MAX_MISSES;
}
