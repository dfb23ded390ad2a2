// Writes the tables of options in README.md: `npm run docs:options`. Names, types and defaults come from the tables of the
// drivers, and the description of an option is the comment on its row.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import type { Rows } from "../src/driver/options/option-rows.js";
import { ROWS } from "../src/driver/options/option-table.js";
import { RABBIT_ROWS } from "../src/driver/rabbit/option-table.js";

const README = fileURLToPath(new URL("../README.md", import.meta.url));

interface OptionTable {
  readonly rows: Rows;
  /** File with the comments, and the constant in it. */
  readonly source: URL;
  readonly constant: string;
  /** The comments that mark the table's place. */
  readonly start: string;
  readonly end: string;
}

const TABLES: readonly OptionTable[] = [
  {
    rows: ROWS,
    source: new URL("../src/driver/options/option-table.ts", import.meta.url),
    constant: "TABLE",
    start: "<!-- options: made by npm run docs:options -->",
    end: "<!-- end of options -->",
  },
  {
    rows: RABBIT_ROWS,
    source: new URL("../src/driver/rabbit/option-table.ts", import.meta.url),
    constant: "RABBIT_TABLE",
    start: "<!-- options of rabbit: made by npm run docs:options -->",
    end: "<!-- end of options of rabbit -->",
  },
];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(README, await withOptions(await readFile(README, "utf8")));
}

/** Returns the README with updated tables, each between the two comments that mark its place. */
export async function withOptions(readme: string): Promise<string> {
  let text = readme;
  for (const table of TABLES) text = await withTable(text, table);
  return text;
}

async function withTable(readme: string, table: OptionTable): Promise<string> {
  const { start, end } = table;
  const [before, rest, ...tooMany] = readme.split(start);
  const [, after] = rest?.split(end) ?? [];
  if (after === undefined || tooMany.length > 0) throw new Error(`README.md must contain "${start}" and "${end}" once`);
  return `${before}${start}\n\n${await textOf(table)}\n\n${end}${after}`;
}

async function textOf({ rows, source, constant }: OptionTable): Promise<string> {
  const meanings = meaningsIn(await readFile(source, "utf8"), constant);
  const lines = rows.map(([key, row]) => {
    const { name, type, default: fallback } = row;
    const meaning = meanings.get(key);
    if (meaning === undefined) throw new Error(`${key} has no comment`);
    const text = fallback === undefined ? "" : fallback === "" ? "empty" : `\`${fallback}\``;
    return `| \`${name}\` | ${inCode(key, row)} | ${type.text} | ${text} | ${meaning} |`;
  });
  return ["| option | in code | value | default | |", "| --- | --- | --- | --- | --- |", ...lines].join("\n");
}

/** The only value of a fixed option is its default. */
function inCode(key: string, { inCode = key, ignored, type, default: fallback }: Rows[number][1]): string {
  if (ignored === undefined) return `\`${inCode}\``;
  return type.text === fallback ? "*fixed*" : "*ignored*";
}

/** Comments on the members of an object literal, by key. */
function meaningsIn(source: string, constant: string): ReadonlyMap<string, string> {
  const tree = ts.createSourceFile("option-table.ts", source, ts.ScriptTarget.Latest, true);
  const meanings = new Map<string, string>();
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAssignment(node) && node.parent.parent.getText(tree).startsWith(`${constant} =`)) {
      const [comment] = ts.getJSDocCommentsAndTags(node);
      const text = comment && ts.getTextOfJSDocComment(comment.comment);
      if (text !== undefined) meanings.set(node.name.getText(tree), text.replaceAll(/\s+/g, " "));
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return meanings;
}
