import { parseArgs } from "node:util";
import { requireInstalled } from "../scripts/prerequisite.js";
import { ARTEMIS_HOME, Artemis } from "../test/fixtures/beds/artemis.js";
import type { Measured } from "./peer.js";
import { buildPeers, Running } from "./running.js";

const LOGIN = { username: "bench", password: "bench" };
const IN_FLIGHT = [1, 256];

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

/**
 * Compares our 1 KB JSON echo with plain rhea's, in turn on the same machine. Prints the medians of calls per second and of
 * the client's CPU time, and their ratios.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
  requireInstalled("ActiveMQ Artemis", ARTEMIS_HOME);
  const pace = values.quick ? PACE.quick : PACE.thorough;
  await buildPeers();
  print(["", "in flight", "calls/s", "client CPU ms per 1,000 calls"]);
  const core = await compare("core", "rhea", "", pace);
  await using artemis = await Artemis.start({ addressing: "routable", login: LOGIN });
  const url = `amqp://${LOGIN.username}:${LOGIN.password}@127.0.0.1:${artemis.address.port}/`;
  const broker = await compare("driver at Artemis", "rhea at Artemis", url, pace);
  const ratios = {
    core_x1: core[0]?.rate,
    core_x256: core[1]?.rate,
    artemis_x1: broker[0]?.rate,
    artemis_x256: broker[1]?.rate,
    client_cpu_x256: broker[1]?.cpu,
  };
  process.stdout.write(`${JSON.stringify(ratios)}\n`);
}

/**
 * Runs both contenders in turn, round by round, so that changes in the machine's load affect both. Returns the ratios of
 * ours to theirs for each number of calls in flight.
 */
async function compare(
  ours: string,
  theirs: string,
  address: string,
  pace: Pace,
): Promise<{ rate: number; cpu: number }[]> {
  const pair = [await Running.start(ours, address), await Running.start(theirs, address)] as const;
  const ratios: { rate: number; cpu: number }[] = [];
  // Warm up with many calls in flight: the broker's JIT compiler needs tens of thousands of calls.
  for (const running of pair) await running.round({ inFlight: Math.max(...IN_FLIGHT), ms: pace.warmUpMs });
  for (const inFlight of IN_FLIGHT) {
    const measured: [Measured[], Measured[]] = [[], []];
    for (let round = 0; round < pace.rounds; round++) {
      for (const [i, running] of pair.entries()) measured[i]?.push(await running.round({ inFlight, ms: pace.ms }));
    }
    const [mine, other] = [figures(measured[0]), figures(measured[1])];
    print([ours, inFlight, mine.perSecond.toFixed(0), mine.cpuMsPer1000.toFixed(1)]);
    print([theirs, inFlight, other.perSecond.toFixed(0), other.cpuMsPer1000.toFixed(1)]);
    ratios.push({ rate: ratio(mine.perSecond, other.perSecond), cpu: ratio(mine.cpuMsPer1000, other.cpuMsPer1000) });
  }
  for (const running of pair) running.stop();
  return ratios;
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

function ratio(ours: number, theirs: number): number {
  return Math.round((ours / theirs) * 100) / 100;
}

function print(columns: readonly (string | number)[]): void {
  process.stdout.write(`${columns.map((column) => String(column).padEnd(20)).join("")}\n`);
}

await main();
