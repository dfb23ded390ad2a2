import type { Channel, ChannelRequest, RequestFields } from "../../amqp091/channel.js";
import type { Connection } from "../../amqp091/connection.js";
import { ACCESS_REFUSED, Amqp091Error, NOT_FOUND, PRECONDITION_FAILED } from "../../amqp091/errors.js";
import type { DeclaredEntity, RabbitConnectionReport } from "../connection-report.js";
import type { ServiceKind } from "../driver.js";
import type { Target } from "../target.js";
import type { ExchangeDeclaration, QueueDeclaration, Topology } from "./topology.js";

/** Measures a round trip and, with a target, looks at its exchanges and queues. Nothing is declared that does not exist. */
export async function probe(
  connection: Connection,
  host: string,
  topology: Topology,
  target: Target | undefined,
  service: ServiceKind,
): Promise<RabbitConnectionReport> {
  const { mechanism, product, version, virtualHost, heartbeatMs, blocked, socket } = connection;
  const channel = await connection.openChannel();
  const startedMs = performance.now();
  await channel.probe();
  const report: RabbitConnectionReport = {
    protocol: "AMQP 0-9-1",
    host,
    encrypted: socket.encrypted,
    mechanism,
    product,
    version,
    virtualHost,
    heartbeatMs,
    ...(blocked !== undefined && { blocked }),
    roundTripMs: performance.now() - startedMs,
  };
  await channel.close();
  return target === undefined
    ? report
    : { ...report, declared: await declaredBy(connection, topology.declarationsOf(target, service)) };
}

async function declaredBy(
  connection: Connection,
  declarations: readonly (ExchangeDeclaration | QueueDeclaration)[],
): Promise<readonly DeclaredEntity[]> {
  const channels = new RequestChannels(connection);
  const entities: DeclaredEntity[] = [];
  for (const declaration of declarations) entities.push(await lookUp(channels, declaration));
  await channels.close();
  return entities;
}

/** An exchange or a queue that exists is declared again, which changes nothing and shows whether it is as the options say. */
async function lookUp(
  channels: RequestChannels,
  declaration: ExchangeDeclaration | QueueDeclaration,
): Promise<DeclaredEntity> {
  const entity =
    "queue" in declaration
      ? ({ kind: "queue", name: declaration.queue } as const)
      : ({ kind: "exchange", name: declaration.exchange } as const);
  const declare = (passive: boolean): Promise<Amqp091Error | undefined> =>
    "queue" in declaration
      ? channels.refusalOf("queue.declare", { ...declaration, passive })
      : channels.refusalOf("exchange.declare", { ...declaration, passive });
  const absence = await declare(true);
  if (absence?.code === NOT_FOUND) return { ...entity, state: "missing" };
  const refusal = absence ?? (await declare(false));
  if (refusal === undefined) return { ...entity, state: "declared" };
  return { ...entity, state: refusal.code === PRECONDITION_FAILED ? "different" : "refused", reason: refusal.text };
}

/** Sends requests on one channel after another: the broker closes the channel of a refused one. */
class RequestChannels {
  readonly #connection: Connection;
  #channel: Channel | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The error with which the broker refuses a request. */
  async refusalOf<M extends ChannelRequest>(name: M, fields: RequestFields<M>): Promise<Amqp091Error | undefined> {
    if (this.#channel?.isOpen !== true) this.#channel = await this.#connection.openChannel();
    try {
      await this.#channel.request(name, fields);
      return undefined;
    } catch (thrown) {
      if (thrown instanceof Amqp091Error && REFUSALS.has(thrown.code)) return thrown;
      throw thrown;
    }
  }

  async close(): Promise<void> {
    await this.#channel?.close();
  }
}

const REFUSALS: ReadonlySet<number> = new Set([ACCESS_REFUSED, NOT_FOUND, PRECONDITION_FAILED]);
