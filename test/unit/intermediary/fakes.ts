import type { AmqpErrorInit } from "@/src/core/errors.js";
import type { SettleMode } from "@/src/core/links/link.js";
import type { Logger } from "@/src/core/logger.js";
import type { DeliveryState, Outcome } from "@/src/core/messages/outcome.js";
import { Budget } from "@/src/intermediary/budget.js";
import type { Inlet, InletHandlers, Outlet, OutletHandlers, Parcel } from "@/src/intermediary/links.js";
import type { Node, NodeInit } from "@/src/intermediary/node.js";

/** What a fake consumer was sent, with the way to answer it. */
export interface Received {
  readonly text: string;
  readonly settled: boolean;
  answer(outcome: Outcome): void;
}

/** A consumer's link without a wire. */
export class FakeConsumer implements Outlet {
  readonly received: Received[] = [];
  credit = 0;
  queued = 0;
  #handlers: OutletHandlers | undefined;

  constructor(node: Pick<Node, "addConsumer">, credit = 0, settleMode: SettleMode = "mixed") {
    const open = (handlers: OutletHandlers): Outlet => {
      this.#handlers = handlers;
      return this;
    };
    node.addConsumer({ settleMode, open });
    if (credit > 0) this.give(credit);
  }

  get texts(): string[] {
    return this.received.map(({ text }) => text);
  }

  give(credit: number): void {
    this.credit += credit;
    this.#handlers?.onCredit(false);
  }

  /** Gives credit for what is there, and takes it back. */
  drain(credit: number): void {
    this.credit += credit;
    this.#handlers?.onCredit(true);
    this.credit = 0;
  }

  send(payload: Uint8Array, { settled }: { settled: boolean }): Promise<Outcome> {
    this.credit--;
    return new Promise((answer) => {
      this.received.push({ text: new TextDecoder().decode(payload), settled, answer });
      if (settled) answer({ type: "accepted" });
    });
  }

  /** Answers the message received as the `index`th, and lets the answer arrive. */
  async answer(index: number, outcome: Outcome): Promise<void> {
    this.received[index]?.answer(outcome);
    await turn();
  }

  /** Its connection is lost: what it has not answered ends with `outcome`. */
  async vanish(outcome: "unsent" | "unknown" = "unknown"): Promise<void> {
    this.credit = 0;
    for (const { answer } of this.received) answer({ type: outcome, error: new Error("gone") });
    this.#handlers?.onDetach();
    await turn();
  }

  async close(): Promise<void> {}
}

/** A producer's link without a wire. */
export class FakeProducer implements Inlet {
  credit = 0;
  closedWith: AmqpErrorInit | undefined;
  /** Resolves the drains that are waiting, as a producer does that gives its credit back. */
  giveBack: () => void = () => {};
  #handlers: InletHandlers | undefined;

  constructor(node: Node) {
    node.addProducer((handlers, credit) => {
      this.#handlers = handlers;
      this.credit = credit;
      return this;
    });
  }

  grant(credit: number): void {
    this.credit += Math.max(0, credit);
  }

  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.giveBack = () => {
        this.credit = 0;
        resolve();
      };
    });
  }

  send(text: string, settled = false): FakeParcel {
    this.credit--;
    const parcel = new FakeParcel(text, settled);
    this.#handlers?.onParcel(parcel);
    return parcel;
  }

  vanish(): void {
    this.credit = 0;
    this.#handlers?.onDetach();
  }

  async close(error?: AmqpErrorInit): Promise<void> {
    this.closedWith = error;
  }
}

export class FakeParcel implements Parcel {
  readonly payload: Uint8Array;
  readonly settled: boolean;
  state: DeliveryState | undefined;

  constructor(text: string, settled: boolean) {
    this.payload = new TextEncoder().encode(text);
    this.settled = settled;
  }

  settle(state: DeliveryState): void {
    this.state ??= state;
  }
}

/** Keeps what it is told. */
export class FakeLogger implements Logger {
  readonly lines: string[] = [];
  debug(message: string): void {
    this.lines.push(message);
  }
  info = this.debug;
  warn = this.debug;
  error = this.debug;
}

export interface FakeInit extends NodeInit {
  readonly logger: FakeLogger;
  unused: number;
}

export function nodeInit(init: { temporary?: boolean; messages?: number; bytes?: number } = {}): FakeInit {
  const { temporary = false, messages = 1_000_000, bytes = 1_000_000_000 } = init;
  const made: FakeInit = {
    address: "some/address",
    temporary,
    traffic: { passed: 0 },
    budget: new Budget({ messages, bytes }),
    logger: new FakeLogger(),
    unused: 0,
    onUnused: () => made.unused++,
  };
  return made;
}

/** Lets what is settled now be heard. */
export async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
