import { beforeAll, expect, test } from "vitest";
import { buildPeers, Running } from "@/bench/running.js";

beforeAll(buildPeers);

test.each(["core", "rhea"])("the contender %s of the benchmark answers calls", async (name) => {
  const running = await Running.start(name, "");
  try {
    const { calls } = await running.round({ inFlight: 1, ms: 50 });
    expect(calls).toBeGreaterThan(0);
  } finally {
    running.stop();
  }
});
