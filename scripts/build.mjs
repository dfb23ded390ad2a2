// Writes dist/: the entries for Node and Bun and the command; web/, the entries for runtimes without Node; web.js and
// web.min.js, each the whole driver of AMQP 1.0 in one file that requires only the web platform; rabbit.min.js, the other driver
// for web.min.js; types/; and jsr/, for Deno's registry.
// The entries for Node share chunks, and so do those in web/, so that no class exists twice. The old dist is replaced only when the new one is
// complete and both minified files are within their budgets. --accept-size sets the budgets from the current sizes. There are
// no source maps, which would be most of the package: all bundles but these two are readable, and name the source file of each
// part.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import * as esbuild from "esbuild";
import { common, neutral, root } from "./bundle-options.mjs";
import { writeJsrPackage } from "./jsr.mjs";
import { minifiedFiles } from "./minified.mjs";
import { trimmedRhea } from "./rhea.mjs";
import * as webSize from "./web-size.mjs";

const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));

/** Entries for Node and Bun, and the command. */
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

/** The driver of AMQP 1.0 in one readable file. */
const alone = { ...neutral, entryPoints: { web: "src/entry/web.ts" } };

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
    const [, , , sizes] = await Promise.all(parts);
    await writeJsrPackage(fresh);
    await checkSizes(sizes, fresh);
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

/** Writes web.min.js and rabbit.min.js. Returns their sizes. */
async function writeMinified(directory) {
  const files = Object.entries(await minifiedFiles(neutral, version));
  return await Promise.all(
    files.map(async ([name, { code, inputs }]) => {
      await writeFile(join(directory, `${name}.min.js`), code);
      return webSize.measure(`${name}.min.js`, code, inputs);
    }),
  );
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

/** Prints the sizes that a page loads. Throws when one is over its budget. */
async function checkSizes(sizes, directory) {
  const accepted = await Promise.all(sizes.map(acceptedSize));
  const reports = sizes.map((size, at) => webSize.describe(size, accepted[at]));
  process.stdout.write(`${[...reports, webSize.describeRpcOnly(await rpcOnlyGzip(directory))].join("\n")}\n`);
  for (const [at, size] of sizes.entries()) webSize.check(size, accepted[at]);
}

/** Reads the accepted size of a file. With --accept-size it is the present one. */
async function acceptedSize(size) {
  const path = join(root, "etc", size.file.replace(".min.js", "-size.json"));
  if (process.argv.includes("--accept-size")) {
    await writeFile(path, `${JSON.stringify(webSize.accepted(size), undefined, 2)}\n`);
  }
  return JSON.parse(await readFile(path, "utf8"));
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
