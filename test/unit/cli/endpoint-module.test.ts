import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadEndpoints, withTarget } from "@/src/cli/endpoint-module.js";
import { UsageError } from "@/src/cli/exit-status.js";
import { Target } from "@/src/entry/node.js";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "oslo-module-"));
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

describe("a module of endpoints", () => {
  it("a module may export one endpoint", async () => {
    const [endpoint] = await loadEndpoints(await moduleOf("export default { hello: () => 'x' };"));
    expect(endpoint).toHaveProperty("hello");
  });

  it("a module may export several endpoints", async () => {
    expect(await loadEndpoints(await moduleOf("export default [{ a() {} }, { b() {} }];"))).toHaveLength(2);
  });

  it.each(["export const hello = 1;", "export default 5;", "export default [{}, null];"])(
    "a module with %s is refused by name",
    async (text) => {
      const path = await moduleOf(text);
      await expect(loadEndpoints(path)).rejects.toThrow(
        new UsageError(`--module ${path}: its default export must be an endpoint, or an array of them`),
      );
    },
  );

  it("a module that cannot be loaded is refused with the cause", async () => {
    const broken = await moduleOf("throw new Error('no database');");
    await expect(loadEndpoints(broken)).rejects.toMatchObject({
      name: "UsageError",
      message: `--module ${broken} could not be loaded`,
      cause: { message: "no database" },
    });
    await expect(loadEndpoints(join(directory, "absent.mjs"))).rejects.toBeInstanceOf(UsageError);
  });
});

describe("the target from the command line", () => {
  const target = new Target({ namespace: "n", version: "2.0" });

  it("an endpoint without a target gets the one from the command line, and is not copied", () => {
    const endpoint = { hello: () => "x" };
    expect(withTarget(endpoint, target)).toBe(endpoint);
    expect(endpoint).toHaveProperty("target", target);
  });

  it("an endpoint with a target keeps it", () => {
    const endpoint = { target: new Target({ version: "1.5" }) };
    expect(withTarget(endpoint, target)).toHaveProperty("target", endpoint.target);
  });

  it("a frozen endpoint without a target is refused", () => {
    expect(() => withTarget(Object.freeze({}), target)).toThrow(UsageError);
  });
});

async function moduleOf(text: string): Promise<string> {
  const path = join(directory, `${crypto.randomUUID()}.mjs`);
  await writeFile(path, text);
  return path;
}
