import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { projectPath } from "@/test/fixtures/project.js";

/** Person words that stand for software or for an unknown peer. Plain prose names the peer, the client, untrusted input. */
const RIDDLES = /\b(nobody|whoever|somebody|everybody|strangers?)\b/i;

/** Folders whose files are read whole: sources with their comments, errors, log texts and help. */
const PROSE = ["src", "playground", "bench", "scripts"];

const DOCUMENTS = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "NOTICE",
  "docs/rabbitmq.md",
  "docs/services.md",
  "test/fixtures/README.md",
];

describe("plain words", { timeout: 60_000 }, () => {
  it("sources, the playground and the benchmark contain no person words for software", async () => {
    const paths = (await Promise.all(PROSE.map(filesBelow))).flat();
    expect(paths.length).toBeGreaterThan(200);
    expect((await Promise.all(paths.map(riddlesIn))).flat()).toEqual([]);
  });

  it("documents contain no person words for software", async () => {
    expect((await Promise.all(DOCUMENTS.map(riddlesIn))).flat()).toEqual([]);
  });

  it("test titles contain no person words for software", async () => {
    const paths = (await filesBelow("test")).filter((path) => path.endsWith(".ts"));
    const titles = (await Promise.all(paths.map(titlesIn))).flat();
    expect(titles.length).toBeGreaterThan(500);
    expect(titles.filter((title) => RIDDLES.test(title))).toEqual([]);
  });
});

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(projectPath(folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.(ts|mts|mjs|sh|py|html|css)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

async function riddlesIn(path: string): Promise<string[]> {
  const lines = (await readFile(path.startsWith("/") ? path : projectPath(path), "utf8")).split("\n");
  return lines.flatMap((line, index) => (RIDDLES.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []));
}

/** The titles that `test`, `it`, `describe` and `each` get in a file. */
async function titlesIn(path: string): Promise<string[]> {
  const tree = ts.createSourceFile(path, await readFile(path, "utf8"), ts.ScriptTarget.Latest);
  const titles: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /^(test|it|describe)\b/.test(node.expression.getText(tree))) {
      const [title] = node.arguments;
      if (title !== undefined && !ts.isArrayLiteralExpression(title)) titles.push(`${path}: ${title.getText(tree)}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return titles;
}
