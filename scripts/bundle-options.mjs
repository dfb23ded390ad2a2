// Options of esbuild for all bundles, and for those of runtimes without Node.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { trimmedRhea } from "./rhea.mjs";

export const root = fileURLToPath(new URL("..", import.meta.url));

const { version: rheaVersion } = JSON.parse(await readFile(join(root, "node_modules/rhea/package.json"), "utf8"));

/** Options for all bundles. */
export const common = {
  absWorkingDir: root,
  outdir: "dist",
  bundle: true,
  format: "esm",
  legalComments: "eof",
  banner: {
    js: `/*! Contains parts of rhea ${rheaVersion}, Copyright 2015 Red Hat Inc., Apache-2.0: see NOTICE and LICENSE. */`,
  },
  logLevel: "warning",
};

/** Options for runtimes without Node. */
export const neutral = {
  ...common,
  platform: "browser",
  target: "es2022",
  plugins: [shims({ events: "events.ts", util: "util.ts" }), trimmedRhea()],
};

/** Resolves the Node modules in `table` to our shims, for imports by rhea only. */
function shims(table) {
  const filter = new RegExp(`^(${Object.keys(table).join("|")})$`);
  return {
    name: "rhea-shims",
    setup({ onResolve }) {
      onResolve({ filter }, ({ path, importer }) =>
        /[\\/]node_modules[\\/]rhea[\\/]/.test(importer)
          ? { path: join(root, "scripts/shims", table[path]) }
          : undefined,
      );
    },
  };
}
