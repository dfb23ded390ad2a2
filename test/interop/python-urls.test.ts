import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { vectors } from "@/test/data/url-forms.json";
import { projectPath } from "@/test/fixtures/project.js";

test("the installed oslo.messaging reads the forms of URLs as they are recorded", {
  tags: ["url:grammar"],
}, async () => {
  const script = projectPath("test/data/url-forms.py");
  const { stdout } = await promisify(execFile)("/usr/bin/python3", ["-B", script]);
  expect(JSON.parse(stdout).vectors).toEqual(vectors);
});
