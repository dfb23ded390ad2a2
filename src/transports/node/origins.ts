import type { IncomingMessage } from "node:http";
import type { Refusal } from "./websocket-server.js";

/** The hosts of this machine, as in URLs. */
export const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);

/**
 * The origin of a page as browsers send it: `https://console.example.org`, without the default port of its scheme.
 *
 * @throws Error for a text that is not the URL of an origin.
 */
export function originOf(text: string): string {
  if (URL.canParse(text)) {
    const { protocol, host, href } = new URL(text);
    const origin = `${protocol}//${host}`;
    if (host !== "" && (href === origin || href === `${origin}/`)) return origin;
  }
  throw new Error(`${JSON.stringify(text)} must be scheme://host or scheme://host:port of a page`);
}

/** The reason to refuse a page whose origin is neither from loopback nor one of these. Clients other than pages have none. */
export function wrongOrigin(
  { headers: { origin } }: IncomingMessage,
  origins: ReadonlySet<string>,
): Refusal | undefined {
  if (origin === undefined || isLoopbackOrigin(origin) || origins.has(origin)) return undefined;
  const cure =
    origin === "null" // of a page that was opened from a file
      ? ": serve the page by HTTP"
      : ": to allow its pages, add it to the option origins (--origin of the command)";
  return { status: 403, reason: `the origin ${JSON.stringify(origin)} is not allowed`, cure };
}

function isLoopbackOrigin(origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, hostname } = new URL(origin);
  return (protocol === "http:" || protocol === "https:") && LOOPBACK.has(hostname);
}
