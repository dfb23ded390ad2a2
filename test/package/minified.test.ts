import { readdir, readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { neutral } from "@/scripts/bundle-options.mjs";
import { bundledFiles, type MinifiedFile } from "@/scripts/minified.mjs";
import { projectPath } from "@/test/fixtures/project.js";

describe("web.min.js and rabbit.min.js", { timeout: 60_000 }, () => {
  let web: MinifiedFile;
  let rabbit: MinifiedFile;

  beforeAll(async () => {
    ({ web, rabbit } = await bundledFiles(neutral));
  }, 60_000);

  it("no module is in both files, and so no class that a check depends on and no state of a module", () => {
    const inWeb = modulesOf(web);
    const inRabbit = modulesOf(rabbit);
    expect(inWeb).toEqual(expect.arrayContaining(["src/driver/exceptions.ts", "src/amqp091/errors.ts"]));
    expect(inRabbit).toEqual(expect.arrayContaining(["src/driver/rabbit/driver.ts", "src/amqp091/connection.ts"]));
    expect(inRabbit.filter((path) => inWeb.includes(path))).toEqual([]);
  });

  it("nothing of the driver of RabbitMQ is in web.min.js, except the class of its errors", () => {
    const driver = modulesOf(web).filter((path) => /^src\/(driver\/rabbit|amqp091)\//.test(path));
    expect(driver).toEqual(["src/amqp091/errors.ts"]);
  });

  it("no module exports a variable: rabbit.min.js would keep its first value", async () => {
    const paths = (await readdir(projectPath("src"), { recursive: true })).filter((path) => path.endsWith(".ts"));
    const texts = await Promise.all(paths.map((path) => readFile(projectPath("src", path), "utf8")));
    expect(paths.filter((_path, at) => /^export let\b/m.test(texts[at] ?? ""))).toEqual([]);
  });
});

function modulesOf({ inputs }: MinifiedFile): string[] {
  return Object.keys(inputs).filter((path) => (inputs[path]?.bytesInOutput ?? 0) > 0);
}
