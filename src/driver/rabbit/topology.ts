import type { RequestFields } from "../../amqp091/channel.js";
import type { FieldTable } from "../../amqp091/field-table.js";
import type { ServiceKind } from "../driver.js";
import { ConfigurationError, InvalidTarget } from "../exceptions.js";
import type { Target } from "../target.js";
import type { ResolvedRabbitOptions } from "./option-table.js";

/** Fields of exchange.declare. */
export interface ExchangeDeclaration extends RequestFields<"exchange.declare"> {
  readonly exchange: string;
  readonly type: "topic" | "fanout";
  readonly durable: boolean;
  readonly autoDelete: boolean;
}

/** Fields of queue.declare. */
export interface QueueDeclaration extends RequestFields<"queue.declare"> {
  readonly queue: string;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly arguments: FieldTable;
}

/** A binding of a queue to an exchange. */
export interface Binding {
  readonly exchange: string;
  /** Undefined for an exchange that the broker has itself: `amq.topic`. */
  readonly declaration: ExchangeDeclaration | undefined;
  readonly routingKey: string;
}

/** A queue. Its exchanges are declared first, then the queue, then its bindings. */
export interface BoundQueue {
  readonly declaration: QueueDeclaration;
  /** Empty: messages arrive by the default exchange and the name of the queue. */
  readonly bindings: readonly Binding[];
}

/** Where a message is published. */
export interface Route {
  /** Empty: the default exchange, which routes to the queue named by the routing key. */
  readonly exchange: string;
  readonly routingKey: string;
  /** The exchange, declared before the first message. Undefined for one that the broker has itself. */
  readonly declaration: ExchangeDeclaration | undefined;
  /** The queue of a notification, declared before the first message so that the message waits for its first listener. */
  readonly queue: BoundQueue | undefined;
}

export interface TopologyInit {
  options: ResolvedRabbitOptions;
  /** Exchange of targets that omit it: oslo's `control_exchange`. */
  controlExchange: string;
}

/**
 * Exchanges, queues and bindings of targets (oslo_messaging/_drivers/amqpdriver.py and impl_rabbit.py). Queues are never
 * exclusive. Each process of a deployment must declare them the same way.
 */
export class Topology {
  /** Arguments of basic.consume. */
  readonly consumerArguments: FieldTable;
  readonly #controlExchange: string;
  /** Whether exchanges and queues of topics are durable, and whether they are deleted when unused. */
  readonly #durable: boolean;
  readonly #autoDelete: boolean;
  /** Whether fanout exchanges, and queues of replies and fanouts, are durable. */
  readonly #transientDurable: boolean;
  readonly #topicArguments: FieldTable;
  readonly #transientArguments: FieldTable;
  /** A client resolves the same immutable target for every message. */
  readonly #resolved = { rpc: new WeakMap<Target, Route>(), notify: new WeakMap<Target, Route>() };

  constructor({ options, controlExchange }: TopologyInit) {
    this.#controlExchange = controlExchange;
    this.#durable = options.amqpDurableQueues || options.rabbitQuorumQueue;
    this.#autoDelete = options.amqpAutoDelete;
    this.#transientDurable = options.rabbitTransientQuorumQueue;
    this.#topicArguments = queueArguments(options, options.rabbitQuorumQueue, 0);
    this.#transientArguments = queueArguments(
      options,
      options.rabbitTransientQuorumQueue,
      options.rabbitTransientQueuesTtlMs,
    );
    this.consumerArguments = options.enableCancelOnFailover ? { "x-cancel-on-ha-failover": true } : {};
  }

  /**
   * The route of a request: to all servers, to one server, or to any one of them.
   *
   * @throws InvalidTarget for a name that is too long or has line breaks, as the other methods.
   */
  requestRoute(target: Target): Route {
    const known = this.#resolved.rpc.get(target);
    if (known !== undefined) return known;
    const { topic = "", server } = target;
    const { exchange, declaration, routingKey } = target.fanout
      ? { ...this.#fanoutBinding(target), routingKey: "" }
      : this.#topicBinding(target, server ? `${topic}.${server}` : topic);
    const route = { exchange, declaration, routingKey, queue: undefined };
    this.#resolved.rpc.set(target, route);
    return route;
  }

  /** The route of a notification. The topic of the target includes the priority: `notifications.info`. */
  notificationRoute(target: Target): Route {
    const known = this.#resolved.notify.get(target);
    if (known !== undefined) return known;
    const queue = this.#topicQueue(target, target.topic ?? "");
    const binding = this.#topicBinding(target, target.topic ?? "");
    const { exchange, declaration, routingKey } = binding;
    const route = { exchange, declaration, routingKey, queue };
    this.#resolved.notify.set(target, route);
    return route;
  }

  /**
   * The three queues of an RPC server, in the order in which it consumes them: of any server, its own, and its queue of
   * fanouts.
   *
   * @param fanoutId makes the name of the queue of fanouts unique. The server deletes that queue when it closes.
   */
  serverQueues(target: Target, fanoutId: string): readonly [any: BoundQueue, own: BoundQueue, fanout: BoundQueue] {
    const { topic = "", server = "" } = target;
    const fanout = this.#fanoutBinding(target);
    const fanoutQueue = `${fanout.exchange}_${fanoutId}`;
    checkName("queue", fanoutQueue, target);
    return [
      this.#topicQueue(target, topic),
      this.#topicQueue(target, `${topic}.${server}`),
      { declaration: this.#transientQueue(fanoutQueue), bindings: [fanout] },
    ];
  }

  /**
   * The queues of a notification listener: one of each target, or the one of its pool, which all targets are bound to. The
   * topic of a target includes the priority.
   */
  listenerQueues(targets: readonly Target[], pool?: string | undefined): readonly BoundQueue[] {
    if (!pool) return targets.map((target) => this.#topicQueue(target, target.topic ?? ""));
    const problem = nameProblem(pool);
    if (problem !== undefined) throw new ConfigurationError("pool", problem);
    const bindings = targets.flatMap((target) => this.#bindings(target, target.topic ?? ""));
    return [{ declaration: this.#durableQueue(pool), bindings }];
  }

  /** The queue of the replies to one client. It is not deleted by the client: it expires. */
  replyQueue(id: string): BoundQueue {
    return { declaration: this.#transientQueue(`reply_${id}`), bindings: [] };
  }

  /** What the servers of a target, or its notification listeners, declare under names that are known: not the queues of fanouts. */
  declarationsOf(target: Target, service: ServiceKind): readonly (ExchangeDeclaration | QueueDeclaration)[] {
    const { topic = "", server, fanout } = target;
    const { declaration: fanoutExchange } = this.#fanoutBinding(target);
    const names = fanout ? [] : server ? [topic, `${topic}.${server}`] : [topic];
    const { declaration: exchange } = this.#topicBinding(target, topic);
    const queues = names.map((name) => this.#topicQueue(target, name).declaration);
    const declarations = [
      ...(fanout ? [] : [exchange]),
      ...queues,
      ...(service === "rpc" && !server ? [fanoutExchange] : []),
    ];
    return declarations.filter((declaration) => declaration !== undefined);
  }

  #topicQueue(target: Target, name: string): BoundQueue {
    checkName("queue", name, target);
    return { declaration: this.#durableQueue(name), bindings: this.#bindings(target, name) };
  }

  /** The default exchange needs no binding: it routes by the name of the queue. */
  #bindings(target: Target, routingKey: string): readonly Binding[] {
    const binding = this.#topicBinding(target, routingKey);
    return binding.exchange === "" ? [] : [binding];
  }

  #topicBinding(target: Target, routingKey: string): Binding {
    const exchange = target.exchange || this.#controlExchange;
    checkName("exchange", exchange, target);
    checkName("routing key", routingKey, target);
    const isOfBroker = exchange === "" || exchange.startsWith("amq.");
    const declaration = { exchange, type: "topic", durable: this.#durable, autoDelete: this.#autoDelete } as const;
    return { exchange, declaration: isOfBroker ? undefined : declaration, routingKey };
  }

  /** The name has no exchange in it: topics of the same name in two exchanges share their fanouts, as in oslo. */
  #fanoutBinding(target: Target): Binding {
    const { topic = "" } = target;
    const exchange = `${topic}_fanout`;
    checkName("exchange", exchange, target);
    const declaration = { exchange, type: "fanout", durable: this.#transientDurable, autoDelete: true } as const;
    return { exchange, declaration, routingKey: topic };
  }

  #durableQueue(queue: string): QueueDeclaration {
    return { queue, durable: this.#durable, autoDelete: this.#autoDelete, arguments: this.#topicArguments };
  }

  #transientQueue(queue: string): QueueDeclaration {
    return { queue, durable: this.#transientDurable, autoDelete: false, arguments: this.#transientArguments };
  }
}

/** The route of a reply or a heartbeat to the queue that the request names. */
export function replyRoute(replyQueue: string): Route {
  return { exchange: "", routingKey: replyQueue, declaration: undefined, queue: undefined };
}

/** Longest name of an exchange or a queue, and longest routing key. */
const MAX_NAME_BYTES = 255;

/** The arguments of a queue, which must be the same in every process. */
function queueArguments(options: ResolvedRabbitOptions, isQuorum: boolean, expiresMs: number): FieldTable {
  const table: Record<string, string | number> = {};
  if (options.rabbitHaQueues) table["x-ha-policy"] = "all";
  if (isQuorum) {
    table["x-queue-type"] = "quorum";
    const { rabbitQuorumDeliveryLimit, rabbitQuorumMaxMemoryLength, rabbitQuorumMaxMemoryBytes } = options;
    if (rabbitQuorumDeliveryLimit > 0) table["x-delivery-limit"] = rabbitQuorumDeliveryLimit;
    if (rabbitQuorumMaxMemoryLength > 0) table["x-max-in-memory-length"] = rabbitQuorumMaxMemoryLength;
    if (rabbitQuorumMaxMemoryBytes > 0) table["x-max-in-memory-bytes"] = rabbitQuorumMaxMemoryBytes;
  }
  if (expiresMs > 0) table["x-expires"] = Math.ceil(expiresMs);
  return table;
}

function checkName(kind: "exchange" | "queue" | "routing key", name: string, target: Target): void {
  const problem = nameProblem(name);
  if (problem !== undefined) throw new InvalidTarget(`The ${kind} ${name} ${problem}`, target);
}

/** RabbitMQ declares a name without its line breaks, and then does not find the one that has them. */
function nameProblem(name: string): string | undefined {
  if (/[\r\n]/.test(name)) return "must not contain line breaks";
  const size = utf8Size(name);
  return size > MAX_NAME_BYTES ? `must have at most ${MAX_NAME_BYTES} bytes of UTF-8, not ${size}` : undefined;
}

function utf8Size(text: string): number {
  return new TextEncoder().encode(text).length;
}
