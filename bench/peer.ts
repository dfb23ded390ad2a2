import { contenders } from "./contenders.js";
import type { Contender } from "./echo.js";

/** What the parent asks of the process of a client. */
export interface Round {
  inFlight: number;
  ms: number;
}

export interface Measured {
  calls: number;
  ms: number;
  cpuMs: number;
}

/** One end of a contender, in a process of its own: `peer.ts NAME serve|call WHERE`. */
async function main(): Promise<void> {
  const [, , name = "", role, where = ""] = process.argv;
  const contender: Contender | undefined = contenders[name];
  if (contender === undefined) throw new Error(`no contender ${name}`);
  process.on("disconnect", () => process.exit());
  if (role === "serve") {
    process.send?.({ where: await contender.serve(where) });
    return;
  }
  const call = await contender.connect(where);
  process.on("message", (round: Round) => {
    void measure(call, round).then((measured) => process.send?.(measured));
  });
  process.send?.({ where });
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
