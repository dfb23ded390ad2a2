import { type Deadline, Deadlines, type WaitPhase } from "../../core/deadlines.js";
import { toError } from "../../core/errors.js";
import type { Receiver } from "../../core/links/receiver.js";
import type { Sender } from "../../core/links/sender.js";
import type { Message } from "../../core/messages/message.js";
import type { Outcome } from "../../core/messages/outcome.js";
import { pause } from "../../core/timers.js";
import type { Route } from "../../driver/amqp/addressing.js";
import type { DriverConnection } from "../../driver/amqp/driver-connection.js";
import type { CheckLimits } from "./findings.js";

export interface TrialInit {
  /** The address of each listener; undefined: an address that the peer creates. */
  listeners: readonly [Route | undefined, ...(Route | undefined)[]];
  /** The messages to send to the first listener's address, in order. The names become the bodies. */
  messages: Readonly<Record<string, Message>>;
  /** Number of deliveries of a successful trial. */
  expected: number;
}

/** The result of a trial. */
export interface Arrivals {
  /** Number of messages of this name that each listener got. */
  of(name: string): readonly number[];
  /** The error that kept messages from arriving: a link that was refused, or a message that was not accepted. */
  readonly problem: string | undefined;
  /** Whether the listeners were refused until there was a sender. */
  readonly neededSender: boolean;
}

/** More messages than any trial sends. */
const CREDIT = 10;

/** Sends messages over its own links, and counts which listener gets which. Rejects only with the signal's reason. */
export async function trial(bus: DriverConnection, init: TrialInit, limits: CheckLimits): Promise<Arrivals> {
  const started = new Trial(bus, init, limits);
  try {
    await started.run();
  } catch (thrown) {
    limits.signal.throwIfAborted();
    started.problem = toError(thrown).message;
  } finally {
    started.close();
  }
  return started;
}

class Trial implements Arrivals {
  problem: string | undefined;
  neededSender = false;
  readonly #bus: DriverConnection;
  readonly #init: TrialInit;
  readonly #limits: CheckLimits;
  readonly #links: (Sender | Receiver)[] = [];
  readonly #arrived: Map<string, number>[];
  #left: number;
  #isOver = false;
  #onComplete = (): void => {};

  constructor(bus: DriverConnection, init: TrialInit, limits: CheckLimits) {
    this.#bus = bus;
    this.#init = init;
    this.#limits = limits;
    this.#arrived = init.listeners.map(() => new Map());
    this.#left = init.expected;
  }

  of(name: string): readonly number[] {
    return this.#arrived.map((counts) => counts.get(name) ?? 0);
  }

  async run(): Promise<void> {
    const { timeoutMs: ms, quietMs, signal } = this.#limits;
    const deadlines = new Deadlines();
    const deadline = deadlines.start({
      ms,
      signal,
      expired: (phase) => new Error(`${LATE[phase]} within ${ms / 1_000} s`),
    });
    try {
      const sender = await deadline.wait("connecting", () => this.#attach());
      for (const [value, message] of Object.entries(this.#init.messages)) {
        const to = sender.target?.address;
        const body = { type: "value", value } as const;
        const outcome = await sender.send({ ...message, to, body }, { settled: false, deadline });
        if (outcome.type !== "accepted") this.problem ??= describe(outcome);
      }
      await this.#arrivals(deadline);
      await pause(quietMs, signal);
    } finally {
      deadline.done();
    }
  }

  /** Waits for the expected messages. A timeout is not an error: the counts show what is missing. */
  async #arrivals(deadline: Deadline): Promise<void> {
    const complete = new Promise<void>((resolve) => {
      this.#onComplete = resolve;
      if (this.#left <= 0) resolve();
      void this.#bus.closed.then((cause) => {
        this.problem ??= cause?.message ?? "the connection was closed";
        resolve();
      });
    });
    try {
      await deadline.wait("reply", () => complete);
    } catch {
      this.#limits.signal.throwIfAborted();
    }
  }

  /** Detaches the links. The detaches are written before a later close of the connection. */
  close(): void {
    this.#isOver = true;
    for (const link of this.#links.splice(0)) void link.close();
  }

  /**
   * Attaches the listeners first, as services do. If they are refused, attaches the sender first: on Broker-J, listeners
   * cannot attach to an exchange before there is a sender.
   */
  async #attach(): Promise<Sender> {
    const [route] = this.#init.listeners;
    try {
      const [first] = await this.#listen();
      return await this.#openSender(route ?? { address: first?.source?.address ?? "", capabilities: [] });
    } catch (error) {
      if (!this.#bus.isOpen || route === undefined) throw error;
      for (const link of this.#links.splice(0)) await link.close();
      const sender = await this.#openSender(route);
      await this.#listen();
      this.neededSender = true;
      return sender;
    }
  }

  async #listen(): Promise<readonly Receiver[]> {
    const { listeners } = this.#init;
    const attaching = listeners.map((route, index) => this.#openReceiver(route, this.#arrived[index] ?? new Map()));
    await Promise.allSettled(attaching); // so that none attaches after this method has thrown
    return await Promise.all(attaching);
  }

  async #openSender({ address, capabilities }: Route): Promise<Sender> {
    const sender = await this.#bus.openSender({
      name: this.#bus.linkName("sender", address),
      source: { address },
      target: { address, capabilities },
    });
    return this.#keep(sender);
  }

  async #openReceiver(route: Route | undefined, counts: Map<string, number>): Promise<Receiver> {
    const receiver = await this.#bus.openReceiver({
      name: this.#bus.linkName("receiver", route?.address ?? "dynamic"),
      source: route ?? { dynamic: true },
      target: { address: route?.address ?? "check" },
      credit: CREDIT,
      onDelivery: (delivery) => {
        const { body } = delivery.message;
        delivery.accept();
        if (body?.type === "value") this.#count(counts, String(body.value));
      },
    });
    return this.#keep(receiver);
  }

  #keep<L extends Sender | Receiver>(link: L): L {
    if (this.#isOver) void link.close();
    else this.#links.push(link);
    return link;
  }

  #count(counts: Map<string, number>, name: string): void {
    if (!Object.hasOwn(this.#init.messages, name)) return;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    this.#left -= 1;
    if (this.#left === 0) this.#onComplete();
  }
}

const LATE: Readonly<Record<WaitPhase, string>> = {
  connecting: "the peer did not attach the links",
  credit: "the peer gave no credit",
  acknowledgement: "the message was not acknowledged",
  reply: "nothing came",
  heartbeat: "nothing came",
};

function describe(outcome: Outcome): string {
  switch (outcome.type) {
    case "accepted":
    case "released":
    case "modified":
      return `the message was ${outcome.type}`;
    case "rejected":
      return `the message was rejected: ${outcome.error?.description ?? outcome.error?.condition ?? "no reason given"}`;
    case "unsent":
    case "unknown":
      return outcome.error.message;
    default:
      return outcome satisfies never;
  }
}
