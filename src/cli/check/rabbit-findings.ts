import { toError } from "../../core/errors.js";
import { type RabbitConnections, rabbitConnections } from "../../driver/rabbit/rabbit-connection.js";
import type { DeclaredEntity, RabbitConnectionReport, RPCTransport, Target } from "../../entry/node.js";
import { type Check, type CheckInit, type Findings, limitsFor, peerFacts, roundTrip } from "./findings.js";
import { adviceOnEntity, adviceOnError } from "./rabbit-advice.js";
import { alarm, isAlarm, runRabbitChecks } from "./rabbit-checks.js";
import { isOlder, warningOnVersion } from "./versions.js";

/** Checks a broker of AMQP 0-9-1. */
export async function rabbitFindings(
  transport: RPCTransport,
  probed: RabbitConnectionReport,
  init: CheckInit,
): Promise<Findings> {
  const connections = rabbitConnections(transport);
  const { blocked, heartbeatMs, virtualHost } = probed;
  const checks = blocked === undefined ? await runRabbitChecks(connections, limitsFor(init, probed)) : [alarm(blocked)];
  // A broker in an alarm does not answer on a connection that published.
  const target =
    init.target === undefined || checks.some(isAlarm) ? undefined : await checkTarget(transport, init.target, init);
  return {
    report: { ...probed, ...(target?.declared && { declared: target.declared }) },
    facts: {
      ...peerFacts(probed),
      "virtual host": virtualHost,
      heartbeat: heartbeatMs === 0 ? "none" : `${heartbeatMs / 1_000} s`,
      "round trip": roundTrip(probed),
      ...(blocked !== undefined && { blocked }),
    },
    checks: [...checks, ...(target?.checks ?? [])],
    warnings: warningsOn(probed, connections),
  };
}

/** The exchanges and queues of a target, as they are. */
async function checkTarget(
  transport: RPCTransport,
  target: Target,
  { timeoutMs, signal }: CheckInit,
): Promise<{ checks: readonly Check[]; declared?: readonly DeclaredEntity[] | undefined }> {
  try {
    const report = await transport.probe(target, { timeoutMs, signal });
    const declared = "declared" in report ? report.declared : undefined;
    return { declared, checks: (declared ?? []).map((entity) => judge(entity, target)) };
  } catch (thrown) {
    signal.throwIfAborted();
    const error = toError(thrown);
    return { checks: [{ name: `${target}`, ok: false, detail: error.message, advice: adviceOnError(error) }] };
  }
}

function judge(entity: DeclaredEntity, { topic }: Target): Check {
  const { kind, name, state, reason } = entity;
  const title = `${kind} ${name}`;
  // A fanout exchange is deleted with its last server, and a message to all servers needs none.
  if (state === "missing" && name === `${topic}_fanout`) {
    return { name: title, ok: true, detail: "does not exist: no server is listening" };
  }
  const detail = `${DETAILS[state]}${reason === undefined ? "" : `: ${reason}`}`;
  return { name: title, ok: state === "declared", detail, advice: adviceOnEntity(entity) };
}

const DETAILS: Readonly<Record<DeclaredEntity["state"], string>> = {
  declared: "exists, declared as the options say",
  different: "exists, declared otherwise",
  refused: "the user may not declare it",
  missing: "does not exist",
};

function warningsOn({ product, version }: RabbitConnectionReport, { options }: RabbitConnections): readonly string[] {
  const old = warningOnVersion(product, version);
  const { amqpDurableQueues, rabbitQuorumQueue, rabbitTransientQuorumQueue } = options;
  const missing = [
    ...(amqpDurableQueues || rabbitQuorumQueue ? [] : ["rabbit_quorum_queue"]),
    ...(rabbitTransientQuorumQueue ? [] : ["rabbit_transient_quorum_queue"]),
  ];
  const deprecated =
    product === "RabbitMQ" && version !== undefined && !isOlder(version, "4.0") && missing.length > 0
      ? `RabbitMQ ${version} deprecates queues that are neither durable nor exclusive, and a later version refuses them: ` +
        `set ${missing.join(" and ")} in every service`
      : undefined;
  return [old, deprecated].filter((warning) => warning !== undefined);
}
