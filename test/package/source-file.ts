import { readFileSync } from "node:fs";
import ts from "typescript";

/** A TypeScript or JavaScript file, as its syntax tree shows it. */
export class SourceFile {
  readonly path: string;
  /** What it imports, exports from, requires or names in a type, as written. */
  readonly imports: readonly string[];
  /** Names it reads that are not members of something. */
  readonly names: ReadonlySet<string>;

  constructor(path: string) {
    this.path = path;
    const tree = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
    const imports: string[] = [];
    const names = new Set<string>();
    const visit = (node: ts.Node): void => {
      const specifier = specifierOf(node);
      if (specifier !== undefined) imports.push(specifier);
      if (ts.isIdentifier(node) && !isMember(node)) names.add(node.text);
      ts.forEachChild(node, visit);
    };
    visit(tree);
    this.imports = imports;
    this.names = names;
  }
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

function isMember(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  return (
    (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodDeclaration(parent)) &&
    parent.name === node
  );
}
