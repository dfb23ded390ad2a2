import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { projectPath } from "@/test/fixtures/project.js";
import { usesOfClosedPorts } from "@/test/fixtures/source.js";

/** Tests of the closing itself: they expect that a connection to the closed listener is refused. */
const EXPECT_REFUSAL = ["test/unit/transports/compliance.test.ts: open"];

it("no test or fixture uses the port of a listener that it has closed, which another process may take", {
  timeout: 60_000,
}, async () => {
  const uses: string[] = [];
  for (const folder of ["test", "bench", "playground"]) {
    for (const path of await readdir(projectPath(folder), { recursive: true })) {
      if (!path.endsWith(".ts")) continue;
      const found = await usesOfClosedPorts(projectPath(folder, path));
      uses.push(...found.map((use) => `${join(folder, path)}: ${use.replace(/^\d+: /, "")}`));
    }
  }
  expect(uses).toEqual(EXPECT_REFUSAL);
});

it("the check finds a port that is learnt by closing a listener", async () => {
  const found = await usesOfClosedPorts(projectPath("test/data/closed-ports.txt"));
  expect(found).toEqual(["8: server", "14: peer", "21: first", "28: web"]);
});
