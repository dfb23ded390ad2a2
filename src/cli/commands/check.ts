import { type Command, Option } from "commander";
import { toError } from "../../core/errors.js";
import { type ConnectionReport, type RPCTransport, Target } from "../../entry/node.js";
import { seconds } from "../arguments/argument-types.js";
import { addTransportArguments, rpcTransport, type TransportArguments } from "../arguments/transport-arguments.js";
import { type Check, type Checks, runChecks } from "../check/checks.js";
import { warningOnVersion } from "../check/versions.js";
import { ChecksFailed, UsageError } from "../exit-status.js";
import { connect } from "../first-connection.js";
import type { Terminal } from "../terminal.js";

interface CheckArguments extends TransportArguments {
  topic?: string | undefined;
  server?: string | undefined;
  exchange?: string | undefined;
  json?: boolean | undefined;
  /** Milliseconds. */
  timeout: number;
}

/** What `check` has to say. With `--json` it is printed as it is. */
interface Findings extends Checks {
  readonly report: ConnectionReport & { readonly addressingReason: string };
}

const HELP = `
What is tried: that on addresses which nobody uses a message for all servers reaches two listeners, one for any server
exactly one of them, one for a server no other one's; that replies come; that calls of the Python driver do not expire.
From one connection closest and balanced look the same: both reach one listener.`;

/** `check`: tells what the intermediary is, and proves that it does what the driver needs. */
export function addCheckCommand(program: Command, terminal: Terminal): void {
  const command = program.command("check").description("tell what is wrong with a message bus, and what it lacks");
  addTransportArguments(command)
    .option("--topic <topic>", "also whether messages to this topic would be taken now")
    .option("--server <server>", "to this server of the topic")
    .option("--exchange <exchange>", "scope of the topic (default: openstack)")
    .option("--json", "print one JSON object: report, checks, warnings")
    .addOption(
      new Option("--timeout <seconds>", "how long the connection, and then each check, may take")
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
  await connect(transport, given.timeout, terminal);
  const findings = await findingsOf(transport, given, terminal.interrupted);
  if (given.json === true) terminal.print(findings);
  else terminal.write(textOf(findings));
  const wrong = findings.checks.filter(({ ok }) => !ok).length;
  if (wrong > 0) throw new ChecksFailed(`${wrong} of ${findings.checks.length} checks found something wrong`);
}

async function findingsOf(transport: RPCTransport, given: CheckArguments, interrupted: AbortSignal): Promise<Findings> {
  const { timeout: timeoutMs } = given;
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(timeoutMs)]);
  const probed = await transport.probe(undefined, { signal }).catch((cause: unknown) => {
    interrupted.throwIfAborted();
    throw new ChecksFailed(`the peer did not attach a link within ${timeoutMs / 1_000} s`, { cause });
  });
  const bus = await transport.driverConnection(interrupted);
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

/** Copies of a message that come later than this after all that should have come are not seen. */
const QUIET_MS = 300;

async function creditOf(
  transport: RPCTransport,
  { topic, server, exchange, timeout: timeoutMs }: CheckArguments,
  interrupted: AbortSignal,
): Promise<{ check: Check; credit?: number | undefined }> {
  const target = new Target({ topic, server, exchange });
  const name = `credit for ${target}`;
  try {
    const signal = AbortSignal.any([interrupted, AbortSignal.timeout(timeoutMs)]);
    const { credit = 0 } = await transport.probe(target, { signal });
    if (credit > 0) return { credit, check: { name, ok: true, detail: `${credit} messages would be taken now` } };
    const advice = "behind a router somebody has to listen there; a broker gives none when it is full";
    return { credit, check: { name, ok: false, detail: "no message would be taken now", advice } };
  } catch (thrown) {
    interrupted.throwIfAborted();
    return { check: { name, ok: false, detail: `no link for it: ${toError(thrown).message}` } };
  }
}

function reasonOf({ product }: ConnectionReport, mode: string): string {
  if (mode !== "dynamic") return "addressing_mode says so";
  return product === undefined ? "the peer does not say what it is" : "what the driver takes for this product";
}

function warningsOn({ product, version, addressing }: ConnectionReport, mode: string): readonly string[] {
  const old = warningOnVersion(product, version);
  const pythons = product === undefined || product === "qpid-cpp" ? "legacy" : "routable";
  const other =
    mode === "dynamic" && addressing !== pythons
      ? `the Python driver takes ${pythons} addresses for ${product}: it needs addressing_mode = ${addressing}`
      : undefined;
  return [old, other].filter((warning) => warning !== undefined);
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
