import { ACCESS_REFUSED } from "../../amqp091/reply-codes.js";
import { type Deadline, Deadlines, type WaitPhase } from "../../core/deadlines.js";
import { pause } from "../../core/timers.js";
import type { QueueDelivery } from "../../driver/rabbit/broker-connection.js";
import { permissionText } from "../../driver/rabbit/declaration-refused.js";
import type { PublishingConnection } from "../../driver/rabbit/publishing-connection.js";
import type { RabbitConnections } from "../../driver/rabbit/rabbit-connection.js";
import { isRefusal } from "../../driver/rabbit/refusal.js";
import type { BoundQueue, Route } from "../../driver/rabbit/topology.js";
import { outcomeReason } from "../../driver/sending/outcomes.js";
import type { CheckLimits } from "./findings.js";

/** Unused queues expire after this time, in case the command is killed before it deletes them. */
const EXPIRES_MS = 60_000;

/** Most messages that a consumer of a trial gets before it acknowledges one. */
const PREFETCH = 100;

/** What the deletion of a trial's exchanges and queues may take. */
const DELETION_MS = 5_000;

/**
 * Runs a trial on exchanges and queues that it declares, and deletes them afterwards.
 *
 * @throws BrokerBlocked when it fails in an alarm of the broker.
 * @throws the first error: a declaration, a consumer or a message that the broker refuses, or the time limit.
 * @throws the reason of the signal.
 */
export async function rabbitTrial<T>(
  connections: RabbitConnections,
  limits: CheckLimits,
  run: (trial: RabbitTrial) => Promise<T>,
): Promise<T> {
  const { timeoutMs, signal } = limits;
  const expired = (phase: WaitPhase): Error => new Error(`${LATE[phase]} within ${timeoutMs / 1_000} s`);
  const connection = await connections.connection({ timeoutMs, signal });
  const deadline = new Deadlines().start({ ms: timeoutMs, signal, expired });
  const trial = new RabbitTrial(connection, deadline, limits);
  try {
    return await run(trial);
  } catch (thrown) {
    const { blocked } = connection.broker;
    throw blocked === undefined ? thrown : new BrokerBlocked(blocked, { cause: thrown });
  } finally {
    deadline.done();
    await trial.delete(connections);
  }
}

/** The broker accepts no messages. The message is its reason. */
export class BrokerBlocked extends Error {
  override readonly name = "BrokerBlocked";
}

/** The exchanges, queues and messages of a trial. */
export class RabbitTrial {
  readonly #connection: PublishingConnection;
  readonly #deadline: Deadline;
  readonly #limits: CheckLimits;
  readonly #exchanges = new Set<string>();
  readonly #queues = new Set<string>();
  #arrived = 0;
  #onArrival = (): void => {};

  constructor(connection: PublishingConnection, deadline: Deadline, limits: CheckLimits) {
    this.#connection = connection;
    this.#deadline = deadline;
    this.#limits = limits;
  }

  /** Declares the exchanges of a queue, the queue and its bindings as the driver does, except that they do not stay when they are unused. */
  async declare({ declaration, bindings }: BoundQueue): Promise<void> {
    this.#queues.add(declaration.queue);
    for (const { exchange } of bindings) this.#exchanges.add(exchange);
    const queue = {
      declaration: { ...declaration, arguments: { ...declaration.arguments, "x-expires": EXPIRES_MS } },
      bindings: bindings.map((binding) => ({
        ...binding,
        declaration: binding.declaration && { ...binding.declaration, autoDelete: true },
      })),
    };
    await this.#deadline.wait("connecting", () => this.#connection.declarer.declareQueue(queue));
  }

  /** Consumes a queue. Calls `onMessage` for each message, with its body as text. */
  async consume(queue: string, onMessage: (text: string) => void): Promise<void> {
    const onDelivery = (delivery: QueueDelivery): void => {
      onMessage(new TextDecoder().decode(delivery.body));
      delivery.ack();
      this.#arrived += 1;
      this.#onArrival();
    };
    try {
      await this.#deadline.wait("connecting", async () => {
        const channel = await this.#connection.openConsumers(PREFETCH);
        await channel.consume({ queue, consumerTag: "check", arguments: {}, onDelivery, onCancel() {} });
      });
    } catch (thrown) {
      if (!isRefusal(thrown) || thrown.code !== ACCESS_REFUSED) throw thrown;
      throw new Error(permissionText("read", `queue ${queue}`, thrown), { cause: thrown });
    }
  }

  /** Publishes a message. Throws when the broker refuses it, or when no queue receives it. */
  async publish({ exchange, routingKey }: Pick<Route, "exchange" | "routingKey">, text: string): Promise<void> {
    const route = { exchange, routingKey, declaration: undefined, queue: undefined };
    const message = { body: new TextEncoder().encode(text), mandatory: true };
    const operation = { deadline: this.#deadline, isRepeat: false, addressed() {} };
    const outcome = await this.#connection.requests.publish(route, message, operation);
    if (outcome.type === "accepted") return;
    const error = "error" in outcome ? outcome.error : undefined;
    throw error instanceof Error ? error : new Error(`the message was not accepted: ${outcomeReason(outcome)}`);
  }

  /**
   * Resolves when this number of messages has arrived, or when the time has passed: the counts show what is missing. Then
   * waits for further copies.
   */
  async arrivals(expected: number): Promise<void> {
    const { quietMs, signal } = this.#limits;
    const complete = new Promise<void>((resolve) => {
      this.#onArrival = () => {
        if (this.#arrived >= expected) resolve();
      };
      this.#onArrival();
      void this.#connection.closed.then(() => resolve());
    });
    await this.#deadline.wait("reply", () => complete).catch(() => signal.throwIfAborted());
    await pause(quietMs, signal);
    if (!this.#connection.isOpen) throw this.#connection.lost;
  }

  /**
   * Deletes the queues and the exchanges, over another connection when this one is lost. A broker in an alarm does not read
   * from a connection that published: they expire.
   */
  async delete(connections: RabbitConnections): Promise<void> {
    if (this.#connection.broker.blocked !== undefined) return;
    const limit = new Deadlines().start({ ms: DELETION_MS, expired: () => new Error("the broker did not answer") });
    try {
      const connection = await connections.connection({ timeoutMs: DELETION_MS });
      await limit.wait("connecting", async () => {
        const { declarations } = connection.broker;
        for (const queue of this.#queues) await unlessRefused(declarations.deleteQueue(queue));
        for (const exchange of this.#exchanges) await unlessRefused(declarations.deleteExchange(exchange));
      });
    } catch {
      // unused queues expire, and an exchange is deleted with its last queue
    } finally {
      limit.done();
    }
  }
}

const LATE: Readonly<Record<WaitPhase, string>> = {
  connecting: "the broker did not answer",
  credit: "the broker accepted no message",
  acknowledgement: "the broker did not confirm the message",
  reply: "nothing came",
  heartbeat: "nothing came",
};

/** What the user may not delete was not declared either. */
async function unlessRefused(deletion: Promise<void>): Promise<void> {
  try {
    await deletion;
  } catch (thrown) {
    if (!isRefusal(thrown)) throw thrown;
  }
}
