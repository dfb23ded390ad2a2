import { parseArgs } from "node:util";
import { requireInstalled } from "../scripts/prerequisite.js";
import { ARTEMIS_HOME, Artemis } from "../test/fixtures/beds/artemis.js";
import { RabbitMq } from "../test/fixtures/beds/rabbitmq.js";
import { rabbitMqInstallation } from "../test/fixtures/beds/rabbitmq-installation.js";
import type { Measured } from "./peer.js";
import { buildPeers, PYTHON, PYTHON_CONTENDER, Running } from "./running.js";

const LOGIN = { username: "bench", password: "bench" };
const VIRTUAL_HOST = "/";

/** Number and duration of the rounds: `--quick` for everyday use, the other for published figures. */
const PACE = {
  quick: { rounds: 7, ms: 600, warmUpMs: 2_500 },
  thorough: { rounds: 15, ms: 2_000, warmUpMs: 10_000 },
} as const;

type Pace = (typeof PACE)[keyof typeof PACE];

interface Figures {
  perSecond: number;
  cpuMsPer1000: number;
}

/** Figures of a contender for each number of calls in flight. */
type Results = ReadonlyMap<number, Figures>;

/**
 * Compares our 1 KB JSON echo, in turn on the same machine: with plain rhea's, without and with Artemis; and at RabbitMQ
 * with the Python library's and with @cloudamqp/amqp-client's. Prints the medians of calls per second and of the
 * client's CPU time, and the ratios of ours to theirs.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
  requireInstalled("ActiveMQ Artemis", ARTEMIS_HOME);
  requireInstalled("Python", PYTHON);
  const { release } = rabbitMqInstallation("3.10.8");
  const pace = values.quick ? PACE.quick : PACE.thorough;
  await buildPeers();
  print(["", "in flight", "calls/s", "client CPU ms per 1,000 calls"]);
  const [core, rhea] = await compare(["core", "rhea"], [1, 256], "", pace);
  const [artemis, rheaAtArtemis] = await compareAtArtemis(pace);
  const [rabbit, python, rpc, confirmed] = await compareAtRabbitMq(pace);
  const ratios = {
    core_x1: rate(core, rhea, 1),
    core_x256: rate(core, rhea, 256),
    artemis_x1: rate(artemis, rheaAtArtemis, 1),
    artemis_x256: rate(artemis, rheaAtArtemis, 256),
    client_cpu_x256: ratio("cpuMsPer1000", artemis, rheaAtArtemis, 256),
    rabbit_python_x1: rate(rabbit, python, 1),
    rabbit_python_x32: rate(rabbit, python, 32),
    rabbit_python_x256: rate(rabbit, python, 256),
    rabbit_amqp_client_x1: rate(rabbit, confirmed, 1),
    rabbit_amqp_client_x32: rate(rabbit, confirmed, 32),
    rabbit_amqp_client_x256: rate(rabbit, confirmed, 256),
    rabbit_amqp_client_rpc_x1: rate(rabbit, rpc, 1),
    rabbit_amqp_client_rpc_x32: rate(rabbit, rpc, 32),
    rabbit_amqp_client_rpc_x256: rate(rabbit, rpc, 256),
  };
  print([`RabbitMQ ${release}`]);
  process.stdout.write(`${JSON.stringify(ratios)}\n`);
}

async function compareAtArtemis(pace: Pace): Promise<Results[]> {
  await using artemis = await Artemis.start({ addressing: "routable", login: LOGIN });
  const url = `amqp://${LOGIN.username}:${LOGIN.password}@127.0.0.1:${artemis.address.port}/`;
  return await compare(["driver at Artemis", "rhea at Artemis"], [1, 256], url, pace);
}

async function compareAtRabbitMq(pace: Pace): Promise<Results[]> {
  await using rabbit = await RabbitMq.start({ version: "3.10.8" });
  const names = ["driver at RabbitMQ", PYTHON_CONTENDER, "amqp-client's RPC", "amqp-client, confirmed"];
  return await compare(names, [1, 32, 256], rabbit.url(VIRTUAL_HOST), pace);
}

/** Runs the contenders in turn, round by round, so that changes in the machine's load affect all of them. */
async function compare(
  names: readonly string[],
  inFlights: readonly number[],
  address: string,
  pace: Pace,
): Promise<Results[]> {
  const contenders: { running: Running; results: Map<number, Figures> }[] = [];
  for (const name of names) contenders.push({ running: await Running.start(name, address), results: new Map() });
  // Warm up with many calls in flight: the broker's JIT compiler needs tens of thousands of calls.
  for (const { running } of contenders) await running.round({ inFlight: Math.max(...inFlights), ms: pace.warmUpMs });
  for (const inFlight of inFlights) {
    const measured = contenders.map((): Measured[] => []);
    for (let round = 0; round < pace.rounds; round++) {
      for (const [i, { running }] of contenders.entries()) {
        measured[i]?.push(await running.round({ inFlight, ms: pace.ms }));
      }
    }
    for (const [i, { running, results }] of contenders.entries()) {
      const { perSecond, cpuMsPer1000 } = figures(measured[i] ?? []);
      print([running.name, inFlight, perSecond.toFixed(0), cpuMsPer1000.toFixed(1)]);
      results.set(inFlight, { perSecond, cpuMsPer1000 });
    }
  }
  for (const { running } of contenders) running.stop();
  return contenders.map(({ results }) => results);
}

function figures(rounds: readonly Measured[]): Figures {
  return {
    perSecond: median(rounds.map(({ calls, ms }) => (calls / ms) * 1000)),
    cpuMsPer1000: median(rounds.map(({ calls, cpuMs }) => (cpuMs / calls) * 1000)),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

function rate(ours: Results | undefined, theirs: Results | undefined, inFlight: number): number {
  return ratio("perSecond", ours, theirs, inFlight);
}

/** NaN without a result. */
function ratio(
  figure: keyof Figures,
  ours: Results | undefined,
  theirs: Results | undefined,
  inFlight: number,
): number {
  const ratio = (ours?.get(inFlight)?.[figure] ?? Number.NaN) / (theirs?.get(inFlight)?.[figure] ?? Number.NaN);
  return Math.round(ratio * 100) / 100;
}

function print(columns: readonly (string | number)[]): void {
  process.stdout.write(`${columns.map((column) => String(column).padEnd(25)).join("")}\n`);
}

await main();
