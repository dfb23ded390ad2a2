import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import type { PageFile } from "./page-server.js";

const page = (name: string): string => fileURLToPath(new URL(`page/${name}`, import.meta.url));
const dist = (name: string): string => fileURLToPath(new URL(`../dist/${name}`, import.meta.url));
const charts = fileURLToPath(new URL("../node_modules/uplot/dist/uPlot.min.css", import.meta.url));

const SCRIPT = "text/javascript; charset=utf-8";
const STYLE = "text/css; charset=utf-8";

/** Paths of the library's files on the page, by the names that it imports. */
const LIBRARY: Readonly<Record<string, string>> = {
  "oslo-messaging": "./oslo-messaging/web.js",
  "oslo-messaging/rabbit": "./oslo-messaging/rabbit.js",
  "oslo-messaging/intermediary": "./oslo-messaging/intermediary.js",
};

/** Keeps the published library out of the page's bundle, so that the page loads it as separate files. */
const shippedLibrary: Plugin = {
  name: "shipped-library",
  setup({ onResolve }) {
    onResolve({ filter: /^oslo-messaging(\/|$)/ }, ({ path }) => {
      const file = LIBRARY[path];
      return file === undefined ? undefined : { path: file, external: true };
    });
  },
};

/** URLs of the intermediary that `npm start` runs. Both are empty when there is no such intermediary. */
export interface Embedded {
  webSocketUrl: string;
  tcpUrl: string;
}

/** All files of the page, by path. */
export async function pageFiles({ webSocketUrl, tcpUrl }: Embedded): Promise<Map<string, PageFile>> {
  const html = await readFile(page("index.html"), "utf8");
  const filled = html.replace("{{webSocketUrl}}", webSocketUrl).replace("{{tcpUrl}}", tcpUrl);
  return new Map<string, PageFile>([
    ["/", { type: "text/html; charset=utf-8", body: filled }],
    ["/icon.svg", { type: "image/svg+xml", body: await readFile(page("icon.svg")) }],
    ["/style.css", { type: STYLE, body: await bundle("style/page.css", "css") }],
    ["/charts.css", { type: STYLE, body: await readFile(charts) }],
    ["/main.js", { type: SCRIPT, body: await bundle("main.ts", "esm") }],
    ["/early-theme.js", { type: SCRIPT, body: await bundle("early-theme.ts", "iife") }],
    ...(await packageFiles()),
  ]);
}

/** `dist/web.js`, which needs no bundler. */
export async function libraryFiles(): Promise<[path: string, file: PageFile][]> {
  assertBuilt("web.js");
  return [["/web.js", { type: SCRIPT, body: await readFile(dist("web.js")) }]];
}

/** `dist/web`, the entries that a bundler would use; they share chunks. */
export async function packageFiles(): Promise<[path: string, file: PageFile][]> {
  assertBuilt("web");
  const names = await readdir(dist("web"));
  return await Promise.all(
    names.map(async (name): Promise<[string, PageFile]> => {
      return [`/oslo-messaging/${name}`, { type: SCRIPT, body: await readFile(dist(`web/${name}`)) }];
    }),
  );
}

function assertBuilt(name: string): void {
  if (!existsSync(dist(name))) throw new Error(`${dist(name)} does not exist: run npm run build`);
}

async function bundle(entry: string, format: "esm" | "iife" | "css"): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [page(entry)],
    bundle: true,
    ...(format === "css" ? {} : { format, sourcemap: "inline" }),
    platform: "browser",
    target: "es2022",
    write: false,
    plugins: [shippedLibrary],
    logLevel: "warning",
  });
  return outputFiles.map(({ text }) => text).join("");
}
