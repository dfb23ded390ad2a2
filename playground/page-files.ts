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

/** Where the page finds the library, by the names that it imports. */
const LIBRARY: Readonly<Record<string, string>> = {
  "oslo-messaging": "./oslo-messaging/web.js",
  "oslo-messaging/intermediary": "./oslo-messaging/intermediary.js",
};

/** Takes the library as it is shipped, beside the page's own script. */
const shippedLibrary: Plugin = {
  name: "shipped-library",
  setup({ onResolve }) {
    onResolve({ filter: /^oslo-messaging(\/|$)/ }, ({ path }) => {
      const file = LIBRARY[path];
      return file === undefined ? undefined : { path: file, external: true };
    });
  },
};

/** The intermediary that `npm start` brings along. Both URLs are empty where there is none. */
export interface Embedded {
  webSocketUrl: string;
  tcpUrl: string;
}

/** All files of the page by their paths. */
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

/** `dist/web.js`, which needs no bundler, and its source map. */
export async function libraryFiles(): Promise<[path: string, file: PageFile][]> {
  assertBuilt("web.js");
  return [
    ["/web.js", { type: SCRIPT, body: await readFile(dist("web.js")) }],
    ["/web.js.map", { type: "application/json", body: await readFile(dist("web.js.map")) }],
  ];
}

/** `dist/web`, whose entries share chunks: what a bundler would take. */
async function packageFiles(): Promise<[path: string, file: PageFile][]> {
  assertBuilt("web");
  const names = await readdir(dist("web"));
  return await Promise.all(
    names.map(async (name): Promise<[string, PageFile]> => {
      const type = name.endsWith(".map") ? "application/json" : SCRIPT;
      return [`/oslo-messaging/${name}`, { type, body: await readFile(dist(`web/${name}`)) }];
    }),
  );
}

function assertBuilt(name: string): void {
  if (!existsSync(dist(name))) throw new Error(`${dist(name)} is not there. Make it with: npm run build`);
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
