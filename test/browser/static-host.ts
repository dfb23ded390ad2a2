import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import type { Listening } from "../../src/core/dial.js";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'none'";

/** Serves the files of a directory under `/some/where/`, and forbids pages to connect to anything. */
export async function hostStatically(directory: string): Promise<Listening> {
  const server = createServer(async ({ url = "" }, response) => {
    const path = /^\/some\/where\/([^?]*)/.exec(url)?.[1];
    const file = path === "" ? "index.html" : path;
    try {
      if (file === undefined || file.includes("..")) throw new Error("not here");
      const body = await readFile(join(directory, file));
      response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "", "Content-Security-Policy": POLICY });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
