import { readdir, readFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import { type PageFile, servePage } from "@/playground/page-server.js";

/** As what a page takes the library from the package: one file, minified, or one and the chunks that it shares. */
export type Published = "in one file" | "in chunks";

const FOLDERS: Readonly<Record<Published, string>> = { "in one file": "alone", "in chunks": "split" };

/** A server of the page that performs scenarios. */
export interface Site {
  /** Of the page, which takes the library so. */
  url(published: Published): string;
  close(): Promise<void>;
}

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

/** Serves the page with its programs, and the library beside it. */
export async function serveSite(): Promise<Site> {
  const programs = await bundledPrograms();
  const files = new Map<string, PageFile>([["/favicon.ico", { type: "image/x-icon", body: "" }]]);
  for (const published of ["in one file", "in chunks"] as const) {
    const add = (name: string, file: PageFile) => files.set(`/${FOLDERS[published]}/${name}`, file);
    const library = await libraryFiles(published);
    for (const [name, body] of [...programs, ...library]) add(name, { type: SCRIPT, body });
    add("", { type: "text/html; charset=utf-8", body: HTML, headers: { "Content-Security-Policy": CSP } });
  }
  const { port, close } = await servePage(files);
  return { url: (published) => `http://127.0.0.1:${port}/${FOLDERS[published]}/`, close };
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
  if (published === "in one file") return [await file("web.min.js", "oslo-messaging.js")];
  const chunks = (await readdir(dist("web"))).filter((name) => /^chunk-.*\.js$/.test(name));
  return await Promise.all([file("web/web.js", "oslo-messaging.js"), ...chunks.map((name) => file(`web/${name}`))]);
}
