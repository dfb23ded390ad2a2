// Writes dist/: the entries for Node and Bun and the command; web/, the entries for runtimes without Node; both share chunks
// among themselves, so that no class exists twice; web.js and web.min.js, each the whole driver in one file that needs nothing
// but the web platform; types/; and jsr/, for Deno's registry. The old dist stays until the new one is whole.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { writeJsrPackage } from "./jsr.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const shim = (name) => join(root, "scripts/shims", name);

/** rhea is CommonJS for Node and is bundled privately, so what it requires of Node can be replaced in both builds. */
const rheaShims = {
  fs: "empty.ts",
  os: "empty.ts",
  path: "empty.ts",
  net: "empty.ts",
  tls: "empty.ts",
  util: "util.ts",
  debug: "debug.cjs",
};

const { version: rheaVersion } = JSON.parse(await readFile(join(root, "node_modules/rhea/package.json"), "utf8"));

const common = {
  absWorkingDir: root,
  outdir: "dist",
  bundle: true,
  format: "esm",
  sourcemap: true,
  legalComments: "eof",
  banner: {
    js: `/*! Contains rhea ${rheaVersion}, Copyright 2015 Red Hat Inc., Apache-2.0: see NOTICE and LICENSE. */`,
  },
  logLevel: "warning",
};

const node = {
  ...common,
  entryPoints: {
    node: "src/entry/node.ts",
    bun: "src/entry/bun.ts",
    tcp: "src/entry/tcp-node.ts",
    conf: "src/entry/conf-node.ts",
    intermediary: "src/entry/intermediary-node.ts",
    cli: "src/cli/main.ts",
  },
  splitting: true,
  platform: "node",
  target: "node20.4",
  external: ["ws", "isomorphic-ws", "commander", "js-ini", "yaml"],
  plugins: [shims({ ...rheaShims, events: "node-events.ts" })],
};

/** For runtimes without Node. */
const neutral = {
  ...common,
  platform: "browser",
  target: "es2022",
  inject: [shim("buffer.ts"), shim("process.ts")],
  plugins: [shims({ ...rheaShims, events: "events.ts" })],
};

/** What bundlers and runtimes find by the package's name. */
const web = {
  ...neutral,
  outdir: "dist/web",
  entryPoints: {
    web: "src/entry/web.ts",
    deno: "src/entry/deno.ts",
    workerd: "src/entry/workerd.ts",
    conf: "src/entry/conf-web.ts",
    intermediary: "src/entry/intermediary-web.ts",
  },
  splitting: true,
};

/** One file with everything, for whoever has no bundler. */
const alone = { ...neutral, entryPoints: { web: "src/entry/web.ts" } };
const minified = { ...alone, entryPoints: { "web.min": "src/entry/web.ts" }, minify: true };

await build();

async function build() {
  const cache = join(root, ".cache");
  await mkdir(cache, { recursive: true });
  const fresh = await mkdtemp(join(cache, "dist-"));
  try {
    const parts = [
      writeBundle(node, fresh),
      writeBundle(web, join(fresh, "web")),
      writeBundle(alone, fresh),
      writeBundle(minified, fresh),
      writeDeclarations(join(fresh, "types")),
    ];
    await Promise.allSettled(parts); // none writes any more when the folder goes
    await Promise.all(parts);
    await writeJsrPackage(fresh);
    await chmod(join(fresh, "cli.js"), 0o755);
    await chmod(fresh, 0o755);
    await replace(join(root, "dist"), fresh);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  await printWebSize();
}

/** By two renames: whoever is running from the old one hardly notices. */
async function replace(directory, fresh) {
  const old = `${fresh}-old`;
  if (existsSync(directory)) await rename(directory, old);
  await rename(fresh, directory);
  await rm(old, { recursive: true, force: true });
}

/** Bundles as if into dist/, which the source maps are relative to, and writes the files elsewhere. */
async function writeBundle(options, directory) {
  const { outputFiles } = await esbuild.build({ ...options, write: false });
  await mkdir(directory, { recursive: true });
  await Promise.all(outputFiles.map(({ path, contents }) => writeFile(join(directory, basename(path)), contents)));
}

/** Resolves the Node modules that rhea requires, and those only, to our shims. */
function shims(table) {
  const filter = new RegExp(`^(${Object.keys(table).join("|")})$`);
  return {
    name: "rhea-shims",
    setup({ onResolve }) {
      onResolve({ filter }, ({ path, importer }) =>
        /[\\/]node_modules[\\/]rhea[\\/]/.test(importer) ? { path: shim(table[path]) } : undefined,
      );
    },
  };
}

async function writeDeclarations(outDir) {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const child = spawn(process.execPath, [tsc, "-p", "tsconfig.build.json", "--outDir", outDir], {
    cwd: root,
    stdio: "inherit",
  });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`tsc ended with ${code}`);
}

async function printWebSize() {
  const contents = await readFile(join(root, "dist/web.min.js"));
  const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
  process.stdout.write(
    `dist/web.min.js: ${kilobytes(contents.length)}, gzip: ${kilobytes(gzipSync(contents).length)}\n`,
  );
}
