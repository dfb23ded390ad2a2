import type { Library, Report, Scenario, Setting, Stage } from "./scenario.js";
import { SCENARIOS } from "./scenarios/scenarios.js";

/** Beyond it a scenario has failed. */
const LIMIT_MS = 30_000;

/** Runs every scenario, one after another, within a runtime, and tells what became of each. */
export async function perform(oslo: Library, setting: Setting, tell: (report: Report) => unknown): Promise<void> {
  const transport = oslo.getRpcTransport(setting.url);
  const stageHand = oslo.getRpcClient(transport, { topic: setting.stageHandTopic });
  const stage: Stage = {
    ...setting,
    oslo,
    uniqueTopic: (what) => `${what}-${crypto.randomUUID()}`,
    ask: async <T>(method: string, args: object = {}) => (await stageHand.call({}, method, args)) as T,
  };
  for (const scenario of SCENARIOS) await tell(await outcome(scenario, stage));
  await transport.close();
}

async function outcome({ name, run }: Scenario, stage: Stage): Promise<Report> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not over within ${LIMIT_MS} ms`)), LIMIT_MS);
    });
    await Promise.race([run(stage), late]);
    return { name };
  } catch (error) {
    return { name, failure: error instanceof Error ? `${error.stack}` : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
