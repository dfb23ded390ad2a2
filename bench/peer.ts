import { contenders } from "./contenders.js";
import type { Contender } from "./echo.js";

/** A round of calls that the parent process requests from a client process. */
export interface Round {
  inFlight: number;
  ms: number;
}

export interface Measured {
  calls: number;
  ms: number;
  cpuMs: number;
}

/** Runs one end of a contender in its own process: `peer.ts NAME serve|call ADDRESS`. */
async function main(): Promise<void> {
  const [, , name = "", role, address = ""] = process.argv;
  const contender: Contender | undefined = contenders[name];
  if (contender === undefined) throw new Error(`unknown contender ${name}`);
  process.on("disconnect", () => process.exit());
  if (role === "serve") {
    process.send?.({ address: await contender.serve(address) });
    return;
  }
  const call = await contender.connect(address);
  process.on("message", (round: Round) => {
    void measure(call, round).then((measured) => process.send?.(measured));
  });
  process.send?.({ address });
}

async function measure(call: () => Promise<void>, { inFlight, ms }: Round): Promise<Measured> {
  const startMs = performance.now();
  const cpu = process.cpuUsage();
  let calls = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() - startMs < ms) {
      await call();
      calls++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  const { user, system } = process.cpuUsage(cpu);
  return { calls, ms: performance.now() - startMs, cpuMs: (user + system) / 1000 };
}

void main();
