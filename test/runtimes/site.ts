import { readdir, readFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import { type PageFile, servePage } from "../../playground/page-server.js";
import type { Listening } from "../../src/core/dial.js";

/** Which files of the package a page takes: the driver in one file, minified, or that and the chunks it shares. */
export type Published = "alone" | "split";

const SCRIPT = "text/javascript; charset=utf-8";
const HTML =
  '<!doctype html><html lang="en"><title>Scenarios</title><script type="module" src="page.js"></script></html>';
/** A page whose Content-Security-Policy has `trusted-types 'none'` cannot name the script of a worker. */
const CSP = "default-src 'none'; script-src 'self'; connect-src ws: wss:";

/** Has the library loaded from beside the program, as a page without a bundler does. */
const besideIt: Plugin = {
  name: "beside-it",
  setup({ onResolve }) {
    onResolve({ filter: /^oslo-messaging$/ }, () => ({ path: "./oslo-messaging.js", external: true }));
  },
};

/** Serves the page that performs scenarios, at `/alone/` and `/split/`, with its programs and the library beside it. */
export async function serveSite(): Promise<Listening> {
  const programs = await bundledPrograms();
  const files = new Map<string, PageFile>([["/favicon.ico", { type: "image/x-icon", body: "" }]]);
  for (const published of ["alone", "split"] as const) {
    const add = (name: string, body: PageFile["body"]) => files.set(`/${published}/${name}`, { type: SCRIPT, body });
    for (const [name, body] of [...programs, ...(await libraryFiles(published))]) add(name, body);
    const type = "text/html; charset=utf-8";
    files.set(`/${published}/`, { type, body: HTML, headers: { "Content-Security-Policy": CSP } });
  }
  return await servePage(files);
}

type NamedFiles = [name: string, body: Uint8Array][];

async function bundledPrograms(): Promise<NamedFiles> {
  const program = (name: string): string => fileURLToPath(new URL(`page/${name}.ts`, import.meta.url));
  const { outputFiles } = await build({
    entryPoints: ["page", "worker", "shared-worker"].map(program),
    outdir: "/",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
    plugins: [besideIt],
    logLevel: "warning",
  });
  return outputFiles.map(({ path, contents }) => [basename(path), contents]);
}

async function libraryFiles(published: Published): Promise<NamedFiles> {
  const dist = (name: string): string => fileURLToPath(new URL(`../../dist/${name}`, import.meta.url));
  const file = async (name: string, as = basename(name)): Promise<NamedFiles[number]> => [
    as,
    await readFile(dist(name)),
  ];
  if (published === "alone") return [await file("web.min.js", "oslo-messaging.js")];
  const chunks = (await readdir(dist("web"))).filter((name) => /^chunk-.*\.js$/.test(name));
  return await Promise.all([file("web/web.js", "oslo-messaging.js"), ...chunks.map((name) => file(`web/${name}`))]);
}
