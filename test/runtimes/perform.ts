import { config } from "chai";
import { stackText } from "@/src/driver/values/stack-text.js";
import type { Library, Report, Scenario, Setting } from "./scenario.js";
import { scenariosBy } from "./scenarios/scenarios.js";
import { Stage } from "./stage.js";

/** Beyond it a scenario has failed. */
const LIMIT_MS = 20_000;
/** The same for the end of those who took part in it. */
const CLOSE_LIMIT_MS = 10_000;

/** So much of a value is shown when it is not what was expected. */
config.truncateThreshold = 1_000;

/** Runs every scenario, one after another, within a runtime, and tells what became of each. */
export async function perform(oslo: Library, setting: Setting, tell: (report: Report) => unknown): Promise<void> {
  const transport = oslo.getRpcTransport(setting.url);
  const hand = oslo.getRpcClient(transport, { topic: setting.stageHandTopic });
  for (const scenario of scenariosBy(setting.scheme, setting.only))
    await tell(await outcome(scenario, new Stage(oslo, setting, hand)));
  await transport.close();
}

async function outcome({ name, run }: Scenario, stage: Stage): Promise<Report> {
  const ran = await failureTextOf(within(LIMIT_MS, run(stage)));
  const closed = await failureTextOf(within(CLOSE_LIMIT_MS, stage.close()));
  return { name, failure: ran ?? closed };
}

async function failureTextOf(doing: Promise<void>): Promise<string | undefined> {
  try {
    await doing;
    return undefined;
  } catch (error) {
    const stack = stackText(error);
    return stack.startsWith(String(error)) ? stack : `${error}\n${stack}`; // not every engine's begins with the message
  }
}

async function within(limitMs: number, doing: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not over within ${limitMs} ms`)), limitMs);
  });
  try {
    await Promise.race([doing, late]);
  } finally {
    clearTimeout(timer);
  }
}
