// Writes the table of options in README.md: `npm run docs:options`. Names, types and defaults come from
// src/driver/options/option-table.ts, and the description of an option is the comment on its row.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { ROWS } from "../src/driver/options/option-table.js";

const README = fileURLToPath(new URL("../README.md", import.meta.url));
const SOURCE = fileURLToPath(new URL("../src/driver/options/option-table.ts", import.meta.url));
const START = "<!-- options: made by npm run docs:options -->";
const END = "<!-- end of options -->";

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(README, await withOptions(await readFile(README, "utf8")));
}

/** Returns the README with an updated table between the two comments that mark its place. */
export async function withOptions(readme: string): Promise<string> {
  const [before, rest, ...tooMany] = readme.split(START);
  const [, after] = rest?.split(END) ?? [];
  if (after === undefined || tooMany.length > 0) throw new Error(`README.md must contain "${START}" and "${END}" once`);
  return `${before}${START}\n\n${await table()}\n\n${END}${after}`;
}

async function table(): Promise<string> {
  const meanings = meaningsIn(await readFile(SOURCE, "utf8"));
  const rows = ROWS.map(([key, { name, type, default: fallback, inCode = key }]) => {
    const meaning = meanings.get(key);
    if (meaning === undefined) throw new Error(`${key} has no comment`);
    const text = fallback === undefined ? "" : fallback === "" ? "empty" : `\`${fallback}\``;
    return `| \`${name}\` | \`${inCode}\` | ${type.text} | ${text} | ${meaning} |`;
  });
  return ["| option | in code | value | default | |", "| --- | --- | --- | --- | --- |", ...rows].join("\n");
}

/** Comments on the members of the object literal `TABLE`, by key. */
function meaningsIn(source: string): ReadonlyMap<string, string> {
  const tree = ts.createSourceFile("option-table.ts", source, ts.ScriptTarget.Latest, true);
  const meanings = new Map<string, string>();
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAssignment(node) && node.parent.parent.getText(tree).startsWith("TABLE")) {
      const [comment] = ts.getJSDocCommentsAndTags(node);
      const text = comment && ts.getTextOfJSDocComment(comment.comment);
      if (text !== undefined) meanings.set(node.name.getText(tree), text.replaceAll(/\s+/g, " "));
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return meanings;
}
