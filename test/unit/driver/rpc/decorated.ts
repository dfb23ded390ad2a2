import ts from "typescript";

/**
 * The class that a text in TypeScript declares, compiled as TypeScript compiles decorators: engines and the runner of
 * these tests do not know them yet. `names` are those that the text uses.
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
