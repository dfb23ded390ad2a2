import { readFile } from "node:fs/promises";
import { transform } from "esbuild";
import ts from "typescript";

/** What a TypeScript or JavaScript file imports, exports from, requires or names in a type, as written. */
export async function importsOf(path: string): Promise<string[]> {
  const tree = ts.createSourceFile(path, await readFile(path, "utf8"), ts.ScriptTarget.Latest);
  const imports: string[] = [];
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node);
    if (specifier !== undefined) imports.push(specifier);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return imports;
}

/** Which of Node's globals a file reads. */
export async function nodeGlobalsOf(path: string): Promise<string[]> {
  const names = ["process", "Buffer", "global", "require", "module", "exports", "__dirname", "__filename"];
  return await globalsOf(path, names);
}

/** Which of these globals a file reads: esbuild replaces a defined name only where nothing in the file declares it. */
export async function globalsOf(path: string, names: readonly string[]): Promise<string[]> {
  const define = Object.fromEntries(names.map((name) => [name, `FOUND_${name}`]));
  const { code } = await transform(await readFile(path, "utf8"), { define, format: "esm", loader: "ts" });
  return names.filter((name) => code.includes(`FOUND_${name}`));
}

function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return textOf(node.moduleSpecifier);
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? textOf(node.argument.literal) : undefined;
  if (ts.isExternalModuleReference(node)) return textOf(node.expression);
  if (!ts.isCallExpression(node)) return undefined;
  const { expression } = node;
  const loads =
    expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && expression.text === "require");
  return loads ? textOf(node.arguments[0]) : undefined;
}

function textOf(node: ts.Node | undefined): string | undefined {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined;
}
