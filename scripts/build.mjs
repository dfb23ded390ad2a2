// Writes dist/: the entries for Node and Bun and the command; web/, the entries for runtimes without Node; web.js and
// web.min.js, each the whole driver in one file that requires only the web platform; types/; and jsr/, for Deno's registry.
// The entries for Node share chunks, and so do those in web/, so that no class exists twice. The old dist is replaced only when the new one is
// complete and web.min.js is within its budget. --accept-size sets the budget from the current size. There are no source maps,
// which would be most of the package: all bundles but web.min.js are readable, and name the source file of each part.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { minify } from "terser";
import { writeJsrPackage } from "./jsr.mjs";
import { trimmedRhea } from "./rhea.mjs";
import * as webSize from "./web-size.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const shim = (name) => join(root, "scripts/shims", name);

const { version: rheaVersion } = JSON.parse(await readFile(join(root, "node_modules/rhea/package.json"), "utf8"));

const common = {
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

const node = {
  ...common,
  entryPoints: {
    node: "src/entry/node.ts",
    bun: "src/entry/bun.ts",
    tcp: "src/entry/tcp-node.ts",
    rabbit: "src/entry/rabbit.ts",
    conf: "src/entry/conf-node.ts",
    intermediary: "src/entry/intermediary-node.ts",
    cli: "src/cli/main.ts",
  },
  splitting: true,
  platform: "node",
  target: "node20.4",
  external: ["ws", "isomorphic-ws", "commander", "js-ini", "yaml"],
  plugins: [trimmedRhea()],
};

/** Options for runtimes without Node. */
const neutral = {
  ...common,
  platform: "browser",
  target: "es2022",
  plugins: [shims({ events: "events.ts", util: "util.ts" }), trimmedRhea()],
};

/** Entries that bundlers and runtimes resolve by the package's name. */
const web = {
  ...neutral,
  outdir: "dist/web",
  entryPoints: {
    web: "src/entry/web.ts",
    deno: "src/entry/deno.ts",
    workerd: "src/entry/workerd.ts",
    "tcp-deno": "src/entry/tcp-deno.ts",
    "tcp-workerd": "src/entry/tcp-workerd.ts",
    rabbit: "src/entry/rabbit.ts",
    conf: "src/entry/conf-web.ts",
    "conf-deno": "src/entry/conf-deno.ts",
    intermediary: "src/entry/intermediary-web.ts",
  },
  splitting: true,
  external: ["cloudflare:sockets"],
};

/** The whole driver in one file, for use without a bundler. */
const alone = { ...neutral, entryPoints: { web: "src/entry/web.ts" } };
const minified = { ...alone, entryPoints: { "web.min": "src/entry/web.ts" }, minify: true, metafile: true };

const acceptedSize = join(root, "etc/web-size.json");

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
      writeMinified(fresh),
      writeDeclarations(join(fresh, "types")),
    ];
    await Promise.allSettled(parts); // all writes end before the folder is removed
    const [, , , size] = await Promise.all(parts);
    await writeJsrPackage(fresh);
    await checkSize(size, fresh);
    await chmod(join(fresh, "cli.js"), 0o755);
    await chmod(fresh, 0o755);
    await replace(join(root, "dist"), fresh);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** Replaces `directory` by two renames, so that it is missing only for a moment for processes that use it. */
async function replace(directory, fresh) {
  const old = `${fresh}-old`;
  if (existsSync(directory)) await rename(directory, old);
  await rename(fresh, directory);
  await rm(old, { recursive: true, force: true });
}

/** Bundles, and writes the files to `directory`. */
async function writeBundle(options, directory) {
  const { outputFiles } = await esbuild.build({ ...options, write: false });
  await mkdir(directory, { recursive: true });
  await Promise.all(outputFiles.map(({ path, contents }) => writeFile(join(directory, basename(path)), contents)));
}

/** Writes web.min.js, minified by esbuild and then by terser. Returns its size. */
async function writeMinified(directory) {
  const { outputFiles, metafile } = await esbuild.build({ ...minified, write: false });
  const { code } = await minify(outputFiles[0].text, {
    module: true,
    ecma: 2022,
    compress: { passes: 3 },
    format: { comments: /^!/ },
  });
  await writeFile(join(directory, "web.min.js"), code);
  return webSize.measure(code, metafile.outputs["dist/web.min.js"].inputs);
}

/** Resolves the Node modules in `table` to our shims, for imports by rhea only. */
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
  if (code !== 0) throw new Error(`tsc failed with exit code ${code}`);
}

/** Prints the size that a page loads. Throws when it is over its budget. */
async function checkSize(size, directory) {
  if (process.argv.includes("--accept-size")) {
    await writeFile(acceptedSize, `${JSON.stringify(webSize.accepted(size), undefined, 2)}\n`);
  }
  const accepted = JSON.parse(await readFile(acceptedSize, "utf8"));
  process.stdout.write(`${webSize.describe(size, accepted, await rpcOnlyGzip(directory))}\n`);
  webSize.check(size, accepted);
}

/** Compressed size of a bundled page that imports only the RPC client and its transport. */
async function rpcOnlyGzip(directory) {
  const contents = `export { getRpcClient, getRpcTransport } from "./web/web.js"`;
  const { outputFiles } = await esbuild.build({
    stdin: { contents, resolveDir: directory },
    bundle: true,
    format: "esm",
    minify: true,
    write: false,
    logLevel: "error", // hides the warning about dropped side-effect imports, as for a package in node_modules
  });
  return webSize.gzip(outputFiles[0].contents);
}
