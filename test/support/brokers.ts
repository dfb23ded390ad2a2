import type { TestProject } from "vitest/node";
import { Artemis, type ArtemisAddress } from "./artemis.js";

declare module "vitest" {
  interface ProvidedContext {
    /** The two Artemis brokers of this run: `legacy` takes everybody, `routable` only its login. */
    artemis: { legacy: ArtemisAddress; routable: ArtemisAddress };
  }
}

/** Starts, once for a run, the brokers that are not ours; they end with it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const starting = [
    Artemis.start({ addressing: "legacy" }),
    Artemis.start({ addressing: "routable", login: { username: "tester", password: "pa:ss/wörd" } }),
  ] as const;
  const stop = async (): Promise<void> => {
    for (const started of await Promise.allSettled(starting)) {
      if (started.status === "fulfilled") await started.value.stop();
    }
  };
  try {
    const [legacy, routable] = await Promise.all(starting);
    project.provide("artemis", { legacy: legacy.address, routable: routable.address });
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}
