import { ACCESS_REFUSED, NOT_FOUND, PRECONDITION_FAILED } from "../../amqp091/reply-codes.js";
import type { DeclaredEntity, RabbitConnectionReport } from "../connection-report.js";
import type { ServiceKind } from "../driver.js";
import type { Target } from "../target.js";
import type { BrokerConnection, Declarations } from "./broker-connection.js";
import { isRefusal, type Refusal } from "./refusal.js";
import type { ExchangeDeclaration, QueueDeclaration, Topology } from "./topology.js";

/** Measures a round trip and, with a target, looks at its exchanges and queues. Nothing is declared that does not exist. */
export async function probe(
  connection: BrokerConnection,
  host: string,
  topology: Topology,
  target: Target | undefined,
  service: ServiceKind,
): Promise<RabbitConnectionReport> {
  const report = { host, ...(await connection.report()) };
  if (target === undefined) return report;
  const declared: DeclaredEntity[] = [];
  for (const declaration of topology.declarationsOf(target, service)) {
    declared.push(await lookUp(connection.declarations, declaration));
  }
  return { ...report, declared };
}

/** An exchange or a queue that exists is declared again, which changes nothing and shows whether it is as the options say. */
async function lookUp(
  declarations: Declarations,
  declaration: ExchangeDeclaration | QueueDeclaration,
): Promise<DeclaredEntity> {
  const entity =
    "queue" in declaration
      ? ({ kind: "queue", name: declaration.queue } as const)
      : ({ kind: "exchange", name: declaration.exchange } as const);
  const declare = (passive: boolean): Promise<Refusal | undefined> =>
    refusalOf(
      "queue" in declaration
        ? declarations.declareQueue(declaration, passive)
        : declarations.declareExchange(declaration, passive),
    );
  const absence = await declare(true);
  if (absence?.code === NOT_FOUND) return { ...entity, state: "missing" };
  const refusal = absence ?? (await declare(false));
  if (refusal === undefined) return { ...entity, state: "declared" };
  return { ...entity, state: refusal.code === PRECONDITION_FAILED ? "different" : "refused", reason: refusal.text };
}

/** The error with which the broker refuses a request. Throws any other one. */
async function refusalOf(request: Promise<void>): Promise<Refusal | undefined> {
  try {
    await request;
    return undefined;
  } catch (thrown) {
    if (isRefusal(thrown) && REFUSALS.has(thrown.code)) return thrown;
    throw thrown;
  }
}

const REFUSALS: ReadonlySet<number> = new Set([ACCESS_REFUSED, NOT_FOUND, PRECONDITION_FAILED]);
