import ts from "typescript";

/**
 * The class that a TypeScript text declares, with its decorators compiled by TypeScript: neither engines nor the test runner
 * support decorators yet. `names` are the names that the text uses.
 */
export function decorated(
  text: string,
  names: Readonly<Record<string, unknown>>,
): new () => Record<string, () => unknown> {
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  return new Function(...Object.keys(names), `${outputText}; return Decorated;`)(...Object.values(names));
}
