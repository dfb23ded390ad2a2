import { rename } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { Child } from "../support/child.js";
import type { Performance } from "./runtime-suite.js";
import type { Report } from "./scenario.js";

/** In the package, so that its own name leads every runtime to the files that are published for it. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** It may reach the network, and nothing else. */
export const DENO = ["node_modules/deno/deno", "run", "--no-prompt", "--allow-net"] as const;

/** Without our tsconfig.json, which leads to the sources: a user has none that does. */
export const BUN = ["node_modules/.bin/bun", "--tsconfig-override=/dev/null"] as const;

/** Writes a program, by its path from this folder, with all that it imports but the library, where runtimes can run it. */
export async function bundled(program: string): Promise<string> {
  const outfile = join(ROOT, ".cache/runtimes", `${basename(program)}.js`);
  const fresh = `${outfile}.${crypto.randomUUID()}`;
  await build({
    entryPoints: [fileURLToPath(new URL(program, import.meta.url))],
    outfile: fresh,
    bundle: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2022",
    external: ["oslo-messaging"],
    logLevel: "warning",
  });
  await rename(fresh, outfile); // another test may be running it
  return outfile;
}

/** A performance by a runtime with a command line: `command` and then the program and its setting. */
export function byCommandLine(name: string, command: readonly [string, ...string[]]): Performance {
  return async (setting, tell) => {
    const program = await bundled("program.ts");
    await using child = new Child({ name, command: [...command, program, JSON.stringify(setting)], cwd: ROOT });
    const ended = child.exited.then((code) => {
      if (code !== 0) throw new Error(`${name} ended with ${code}: ${child.stderr}`);
    });
    const reading = readReports(child, tell);
    await Promise.race([ended, reading]);
  };
}

/** Until the last one has come. */
async function readReports(child: Child, tell: (report: Report) => void): Promise<void> {
  for (;;) tell(await child.waitForJson("a report", (line) => line as unknown as Report, 60_000));
}
