import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import type { Listening } from "@/src/core/byte-stream.js";

export interface FolderInit {
  /** The path of the folder, with a slash at its end. Absent: the root. */
  under?: string | undefined;
  /** Of every answer. */
  headers?: Readonly<Record<string, string>> | undefined;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Serves the pages and scripts of a folder on any free port of 127.0.0.1, as any static hosting would. */
export async function serveFolder(
  folder: string,
  { under = "/", headers }: FolderInit = {},
): Promise<Listening & AsyncDisposable> {
  const server = createServer(async ({ url = "/" }, response) => {
    const { pathname } = new URL(url, "http://127.0.0.1");
    const path = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
    try {
      if (!path.startsWith(under)) throw new Error("not here");
      const body = await readFile(join(folder, path.slice(under.length)));
      const type = TYPES[extname(path)] ?? "application/octet-stream";
      response.writeHead(200, { "Content-Type": type, ...headers }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { port, close, [Symbol.asyncDispose]: close };
}
