import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Listening } from "../src/core/byte-stream.js";

export interface PageFile {
  /** Value of Content-Type. */
  type: string;
  body: string | Uint8Array;
  /** Added to the headers of every file; one with the same name replaces the default. */
  headers?: Readonly<Record<string, string>>;
}

/**
 * Scripts and styles load only from this origin, never inline, and text never becomes HTML. Any WebSocket is allowed,
 * because the user chooses the URL.
 */
const HEADERS = {
  "Content-Security-Policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src ws: wss:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; "),
  "X-Content-Type-Options": "nosniff",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-store",
};

/** Serves only these files, by path, on a free port of 127.0.0.1. */
export async function servePage(files: ReadonlyMap<string, PageFile>): Promise<Listening> {
  const server = createServer((request, response) => answer(request, response, files));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, files: ReadonlyMap<string, PageFile>): void {
  const { method = "", url = "" } = request;
  const file = files.get(url.replace(/\?.*$/, ""));
  if (!isOurHost(request)) return refuse(response, 403, "Unknown host");
  if (method !== "GET" && method !== "HEAD") return refuse(response, 405, "Only GET and HEAD are supported");
  if (file === undefined) return refuse(response, 404, "File not found");
  const length = Buffer.byteLength(file.body);
  response.writeHead(200, { ...HEADERS, ...file.headers, "Content-Type": file.type, "Content-Length": length });
  response.end(method === "GET" ? file.body : undefined);
}

/** Guards against DNS rebinding: another site's page could reach this server by a name that resolves to 127.0.0.1. */
function isOurHost({ headers: { host }, socket: { localPort } }: IncomingMessage): boolean {
  return host === `127.0.0.1:${localPort}` || host === `localhost:${localPort}`;
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...HEADERS, "Content-Type": "text/plain; charset=utf-8" });
  response.end(`${text}\n`);
}
