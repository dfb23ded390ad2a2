import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { ROOT } from "@/test/fixtures/project.js";

test("a script whose prerequisite is missing ends with one line that names the set-up", async () => {
  const script = `
    import { requireInstalled } from "./scripts/prerequisite.ts";
    requireInstalled("this project", "package.json");
    requireInstalled("ActiveMQ Artemis", "/nowhere/artemis");`;
  const args = ["--import", "tsx", "--input-type=module", "--eval", script];
  const failed = await promisify(execFile)(process.execPath, args, { cwd: ROOT }).catch((error: unknown) => error);
  expect(failed).toMatchObject({
    code: 1,
    stderr: "ActiveMQ Artemis is not installed at /nowhere/artemis: run bash scripts/setup.sh\n",
  });
});
