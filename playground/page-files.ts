import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import type { PageFile } from "./page-server.js";

const page = (name: string): string => fileURLToPath(new URL(`page/${name}`, import.meta.url));
const dist = (name: string): string => fileURLToPath(new URL(`../dist/${name}`, import.meta.url));

const SCRIPT = "text/javascript; charset=utf-8";

/** Takes the library as it is shipped, beside the page's own script. */
const shippedLibrary: Plugin = {
  name: "shipped-library",
  setup({ onResolve }) {
    onResolve({ filter: /\/src\/entry\/web\.js$/ }, () => ({ path: "./web.js", external: true }));
  },
};

/** All files of the page by their paths, with the URLs that it proposes written into it. */
export async function pageFiles(urls: { webSocketUrl: string; tcpUrl: string }): Promise<Map<string, PageFile>> {
  const html = await readFile(page("index.html"), "utf8");
  const filled = html.replaceAll("{{webSocketUrl}}", urls.webSocketUrl).replaceAll("{{tcpUrl}}", urls.tcpUrl);
  return new Map<string, PageFile>([
    ["/", { type: "text/html; charset=utf-8", body: filled }],
    ...(await Promise.all(["style.css", "controls.css", "rows.css", "frames.css"].map(styleFile))),
    ["/icon.svg", { type: "image/svg+xml", body: await readFile(page("icon.svg")) }],
    ["/main.js", { type: SCRIPT, body: await bundle() }],
    ...(await libraryFiles()),
  ]);
}

/** `dist/web.js`, which needs no bundler, and its source map. */
export async function libraryFiles(): Promise<[path: string, file: PageFile][]> {
  if (!existsSync(dist("web.js"))) throw new Error(`${dist("web.js")} is not there. Make it with: npm run build`);
  return [
    ["/web.js", { type: SCRIPT, body: await readFile(dist("web.js")) }],
    ["/web.js.map", { type: "application/json", body: await readFile(dist("web.js.map")) }],
  ];
}

async function styleFile(name: string): Promise<[path: string, file: PageFile]> {
  return [`/${name}`, { type: "text/css; charset=utf-8", body: await readFile(page(name)) }];
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [page("main.ts")],
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    sourcemap: "inline",
    write: false,
    plugins: [shippedLibrary],
    logLevel: "warning",
  });
  return outputFiles.map(({ text }) => text).join("");
}
