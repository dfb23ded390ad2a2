import { type Command, Option } from "commander";
import { toError } from "../../core/errors.js";
import { amqpConnection } from "../../driver/amqp/amqp-connection.js";
import { productOf } from "../../driver/amqp/products.js";
import { withoutCredit } from "../../driver/sending/likely-reason.js";
import { type AmqpConnectionReport, type RPCTransport, Target } from "../../entry/node.js";
import { seconds } from "../arguments/argument-types.js";
import { addTransportArguments, rpcTransport, type TransportArguments } from "../arguments/transport-arguments.js";
import { type Check, type Checks, runChecks } from "../check/checks.js";
import { warningOnVersion } from "../check/versions.js";
import { ChecksFailed, UsageError } from "../exit-status.js";
import { connectOnce } from "../first-connection.js";
import type { Terminal } from "../terminal.js";

interface CheckArguments extends TransportArguments {
  topic?: string | undefined;
  server?: string | undefined;
  exchange?: string | undefined;
  json?: boolean | undefined;
  /** Milliseconds. */
  timeout: number;
}

/** The result of `check`; the JSON that `--json` prints. */
interface Findings extends Checks {
  readonly report: AmqpConnectionReport & { readonly addressingReason: string };
}

const HELP = `
The checks: on unused addresses, a fanout reaches both listeners, an anycast exactly one, a unicast only its server;
replies arrive; calls of the Python driver do not expire.
From a single connection, closest and balanced look the same: both reach one listener.`;

/** `check`: prints what the intermediary is, and whether it does what the driver needs. */
export function addCheckCommand(program: Command, terminal: Terminal): void {
  const command = program.command("check").description("Check a message bus and print what is wrong or missing");
  addTransportArguments(command)
    .option("--topic <topic>", "topic to check as well: whether it accepts messages now")
    .option("--server <server>", "only this server of the topic")
    .option("--exchange <exchange>", "exchange, the scope of the topic (default: openstack)")
    .option("--json", "output as one JSON object: report, checks, warnings")
    .addOption(
      new Option("--timeout <seconds>", "time limit of the connection, and then of each check")
        .argParser(seconds)
        .default(10_000, "10"),
    )
    .addHelpText("after", HELP)
    .action((given: CheckArguments) => check(given, terminal));
}

async function check(given: CheckArguments, terminal: Terminal): Promise<void> {
  const { topic, server, exchange } = given;
  if (topic === undefined && (server ?? exchange) !== undefined)
    throw new UsageError("--server and --exchange need --topic");
  await using transport = rpcTransport(given, terminal);
  await connectOnce(transport, given.timeout, terminal);
  const findings = await findingsOf(transport, given, terminal.interrupted);
  if (given.json === true) terminal.print(findings);
  else terminal.write(textOf(findings));
  const failed = findings.checks.filter(({ ok }) => !ok).length;
  if (failed > 0) throw new ChecksFailed(`${failed} of ${findings.checks.length} checks failed`);
}

async function findingsOf(transport: RPCTransport, given: CheckArguments, interrupted: AbortSignal): Promise<Findings> {
  const { timeout: timeoutMs } = given;
  const probed = await transport.probe(undefined, { timeoutMs, signal: interrupted }).catch((cause: unknown) => {
    interrupted.throwIfAborted();
    throw new ChecksFailed(`the peer did not attach a link within ${timeoutMs / 1_000} s`, { cause });
  });
  if (probed.protocol !== "AMQP 1.0") throw new UsageError("check supports amqp:// only");
  const bus = await amqpConnection(transport, { signal: interrupted });
  const quietMs = Math.max(QUIET_MS, 3 * probed.roundTripMs);
  const { checks, warnings } = await runChecks(bus, { timeoutMs, quietMs, signal: interrupted });
  const credit = given.topic === undefined ? undefined : await creditOf(transport, given, interrupted);
  const { addressingMode } = bus.addresser.options;
  return {
    report: {
      ...probed,
      addressingReason: reasonOf(probed, addressingMode),
      ...(credit?.credit !== undefined && { credit: credit.credit }),
    },
    checks: credit === undefined ? checks : [...checks, credit.check],
    warnings: [...warningsOn(probed, addressingMode), ...warnings],
  };
}

/** Shortest time to wait for further copies after the expected messages. Later copies are not counted. */
const QUIET_MS = 300;

async function creditOf(
  transport: RPCTransport,
  { topic, server, exchange, timeout: timeoutMs }: CheckArguments,
  interrupted: AbortSignal,
): Promise<{ check: Check; credit?: number | undefined }> {
  const target = new Target({ topic, server, exchange });
  const name = `credit for ${target}`;
  try {
    const probed = await transport.probe(target, { timeoutMs, signal: interrupted });
    const { product } = probed;
    const credit = "credit" in probed ? (probed.credit ?? 0) : 0;
    if (credit > 0) return { credit, check: { name, ok: true, detail: `${credit} messages would be taken now` } };
    const advice = withoutCredit(productOf(product).kind);
    return { credit, check: { name, ok: false, detail: "no message would be taken now", advice } };
  } catch (thrown) {
    interrupted.throwIfAborted();
    return { check: { name, ok: false, detail: `no link for it: ${toError(thrown).message}` } };
  }
}

function reasonOf({ product }: AmqpConnectionReport, mode: string): string {
  if (mode !== "dynamic") return "addressing_mode says so";
  return product === undefined ? "the peer does not say what it is" : "what the driver takes for this product";
}

function warningsOn({ product, version, addressing }: AmqpConnectionReport, mode: string): readonly string[] {
  const old = warningOnVersion(product, version);
  const pythonAddressing = product === undefined || product === "qpid-cpp" ? "legacy" : "routable";
  const different =
    mode === "dynamic" && addressing !== pythonAddressing
      ? `the Python driver takes ${pythonAddressing} addresses for ${product}: it needs addressing_mode = ${addressing}`
      : undefined;
  return [old, different].filter((warning) => warning !== undefined);
}

function textOf({ report, checks, warnings }: Findings): string {
  const facts = {
    host: report.host,
    encrypted: report.encrypted ? "yes" : "no",
    mechanism: report.mechanism || "none",
    product: [report.product ?? "unknown", report.version].join(" ").trimEnd(),
    addressing: `${report.addressing}: ${report.addressingReason}`,
    replies: report.dynamicReplies ? "the peer makes addresses for them" : "the peer makes no addresses for them",
    "round trip": `${report.roundTripMs.toFixed(1)} ms`,
  };
  const lines = [
    ...Object.entries(facts).map(([name, fact]) => `${name.padEnd(11)} ${fact}`),
    "",
    ...checks.map(({ name, ok, detail }) => `${ok ? "ok   " : "WRONG"} ${name}: ${detail}`),
    ...checks.flatMap(({ advice }) => (advice === undefined ? [] : ["", advice])),
    ...warnings.flatMap((warning) => ["", `warning: ${warning}`]),
  ];
  return `${lines.join("\n")}\n`;
}
