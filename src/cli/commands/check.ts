import { type Command, Option } from "commander";
import { type RPCTransport, Target } from "../../entry/node.js";
import { seconds } from "../arguments/argument-types.js";
import { EXCHANGE, noteExchange } from "../arguments/exchange.js";
import { addTransportArguments, rpcTransport, type TransportArguments } from "../arguments/transport-arguments.js";
import { amqpFindings } from "../check/amqp-findings.js";
import { type Findings, textOf } from "../check/findings.js";
import { rabbitFindings } from "../check/rabbit-findings.js";
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

const HELP = `
The checks over amqp://: on unused addresses, a fanout reaches both listeners, an anycast exactly one, a unicast only
its server; replies arrive; calls of the Python driver do not expire.
From a single connection, closest and balanced look the same: both reach one listener.
The checks over rabbit://: on unused names, a fanout reaches both servers, a request to any server exactly one, a request
to one server only that one; replies arrive; a notification waits for its listener. The user needs permission to
configure, write and read. With --topic: how the exchanges and queues of the topic are declared.`;

/** `check`: prints what the intermediary is, and whether it does what the driver needs. */
export function addCheckCommand(program: Command, terminal: Terminal): void {
  const command = program.command("check").description("Check a message bus and print what is wrong or missing");
  addTransportArguments(command)
    .option("--topic <topic>", "topic to check as well: whether it accepts messages now")
    .option("--server <server>", "only this server of the topic")
    .option("--exchange <exchange>", EXCHANGE)
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
  if (topic !== undefined) noteExchange(transport, given, terminal);
  await connectOnce(transport, given.timeout, terminal);
  const findings = await findingsOf(transport, given, terminal.interrupted);
  const { report, checks, warnings } = findings;
  if (given.json === true) terminal.print({ report, checks, warnings });
  else terminal.write(textOf(findings));
  const failed = checks.filter(({ ok }) => !ok).length;
  if (failed > 0) throw new ChecksFailed(`${failed} of ${checks.length} checks failed`);
}

async function findingsOf(transport: RPCTransport, given: CheckArguments, signal: AbortSignal): Promise<Findings> {
  const { topic, server, exchange, timeout: timeoutMs } = given;
  const probed = await transport.probe(undefined, { timeoutMs, signal }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new ChecksFailed(`the peer did not answer within ${timeoutMs / 1_000} s`, { cause });
  });
  const init = { target: topic === undefined ? undefined : new Target({ topic, server, exchange }), timeoutMs, signal };
  return "virtualHost" in probed
    ? await rabbitFindings(transport, probed, init)
    : await amqpFindings(transport, probed, init);
}
