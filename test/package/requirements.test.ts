import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { createVitest } from "vitest/node";
import { NOT_APPLICABLE, REQUIREMENTS } from "../requirements/index.js";

/** Where Debian's python3-oslo.messaging is. */
const OSLO = "/usr/lib/python3/dist-packages/oslo_messaging";
const UPSTREAM = ["tests/drivers/test_amqp_driver.py", "tests/functional/test_functional.py"];

describe("every requirement", () => {
  const requirements = Object.entries(REQUIREMENTS);

  it("every requirement is shown by a test that is not skipped", { timeout: 60_000 }, async () => {
    const shown = await tagsOfTests();
    const missing = requirements.map(([id]) => id).filter((id) => !shown.has(id));
    expect(missing).toEqual([]);
  });

  it("every requirement is a sentence with its lines of oslo.messaging, or ours", () => {
    for (const [id, { behaviour, source }] of requirements) {
      expect(id).toMatch(/^[a-z]+(:[a-z-]+)+$/);
      expect(behaviour, id).toMatch(/^[A-Z].*\.$/);
      expect(source, id).toMatch(/^([\w/]+\.py:\d+-\d+|ours)$/);
    }
  });
});

describe("oslo.messaging's own tests", () => {
  let installed: string[];

  beforeAll(async () => {
    if (!existsSync(OSLO)) {
      throw new Error(`Python's oslo.messaging is not installed (${OSLO}). Install it with: bash scripts/setup.sh`);
    }
    installed = (await Promise.all(UPSTREAM.map((path) => testFunctions(join(OSLO, path))))).flat();
  });

  it("every test of oslo.messaging is named once, by a requirement or as not applicable", () => {
    const named = Object.values(REQUIREMENTS).flatMap(({ upstream = [] }) => upstream);
    expect([...named, ...Object.keys(NOT_APPLICABLE)].sort()).toEqual(installed.sort());
  });

  it("the lines of the requirements exist in the installed oslo.messaging", async () => {
    for (const [id, { source }] of Object.entries(REQUIREMENTS)) {
      if (source === "ours") continue;
      const [file = "", lines = ""] = source.split(":");
      const [first = 0, last = 0] = lines.split("-").map(Number);
      const text = (await readFile(join(OSLO, file), "utf8")).split("\n");
      expect(text[first - 1], `${id}: ${source}`).toMatch(/^\s*(def|class) \w+|^\w+ = /);
      expect(text.length, `${id}: ${source}`).toBeGreaterThanOrEqual(last);
    }
  });
});

/** Of all test files, as vitest reads them without running them. */
async function tagsOfTests(): Promise<Set<string>> {
  const vitest = await createVitest("test", { watch: false });
  try {
    const modules = await vitest.experimental_parseSpecifications(await vitest.globTestSpecifications());
    // Those of test/runtimes are declared by a function that they call.
    const errors = modules.flatMap((module) => module.errors());
    expect(errors.filter(({ message }) => !message.startsWith("No test suite found"))).toEqual([]);
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    return new Set(tests.filter(({ options }) => options.mode === "run").flatMap(({ tags }) => tags));
  } finally {
    await vitest.close();
  }
}

/** The test functions of a Python file, as `Class.function`. */
async function testFunctions(path: string): Promise<string[]> {
  const functions: string[] = [];
  let inClass = "";
  for (const line of (await readFile(path, "utf8")).split("\n")) {
    inClass = /^class (\w+)/.exec(line)?.[1] ?? inClass;
    const name = /^ {4}def (test_\w+)\(/.exec(line)?.[1];
    if (name !== undefined) functions.push(`${inClass}.${name}`);
  }
  return functions;
}
