import { createServer, type RequestListener } from "node:http";
import type { Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { bind } from "@/src/transports/node/node-server.js";
import { launchChromium } from "@/test/fixtures/browsers/chromium.js";
import { DriverPage } from "@/test/fixtures/browsers/driver-page.js";
import { launchFirefox } from "@/test/fixtures/browsers/firefox.js";
import { ownAddress } from "@/test/fixtures/network/loopback.js";

const UNTOLD =
  "closed with 1006, and the runtime reports no reason (a browser's console does): nothing listens there, its " +
  "certificate is not trusted, this page may not connect there, or the server has no WebSocket with the sub-protocol " +
  '"amqp"';
const MIXED_CONTENT = "an https page may open only wss://, use an amqp+wss URL";

const cannotOpen = (authority: string, why: string): string =>
  `Error: cannot open WebSocket ws://${authority}/: ${why}`;
const notSelected = (authority: string): string =>
  `Error: the server at ws://${authority}/ did not select the sub-protocol "amqp"`;

const BROWSERS = [
  { name: "Chromium", launch: launchChromium, noSubprotocolError: (at: string) => cannotOpen(at, UNTOLD) },
  { name: "Firefox", launch: launchFirefox, noSubprotocolError: notSelected },
];

describe.each(BROWSERS)("in $name", ({ launch, noSubprotocolError }) => {
  let browser: Browser;
  let tab: DriverPage;

  beforeAll(async () => {
    browser = await launch();
    tab = await DriverPage.open(browser);
  });

  afterAll(async () => {
    await tab?.[Symbol.asyncDispose]();
    await browser?.close();
  });

  test("a page's error lists the possible reasons when the connection is refused", async () => {
    const { host, port } = ownAddress();
    const authority = `${host}:${port}`;
    expect(await attempt(tab, authority)).toEqual(both(cannotOpen(authority, UNTOLD)));
  });

  test("a page's error lists the possible reasons when the server has no WebSockets", async () => {
    await using server = await serve({});
    expect(await attempt(tab, server.authority)).toEqual(both(cannotOpen(server.authority, UNTOLD)));
  });

  test.each([400, 404])(
    "a page's error lists the possible reasons when the upgrade fails with HTTP %d",
    async (status) => {
      await using server = await serve({ refuseWith: status });
      expect(await attempt(tab, server.authority)).toEqual(both(cannotOpen(server.authority, UNTOLD)));
    },
  );

  test("a page's error mentions the sub-protocol when the server does not select it", async () => {
    await using server = await serve({ onWebSocket() {} });
    expect(await attempt(tab, server.authority)).toEqual(both(noSubprotocolError(server.authority)));
  });

  test("a page's error says that AMQP is binary when the server sends text", async () => {
    await using server = await serve({ subprotocol: "amqp", onWebSocket: (ws) => ws.send("AMQP") });
    const error = `ConnectionLost: ws://${server.authority}/: received a text message, but AMQP is binary`;
    expect(await attempt(tab, server.authority)).toEqual(both(error));
  });

  test("the error of a page from https says that it may not open ws:// URLs", async () => {
    await using page = await DriverPage.openByHttps(browser);
    const authority = "broker.example:5673";
    expect(await attempt(page, authority)).toEqual(both(cannotOpen(authority, MIXED_CONTENT)));
  });
});

interface ServerInit {
  subprotocol?: string;
  /** Called for each WebSocket. Omitted: the server has no WebSockets. */
  onWebSocket?: (ws: WebSocket) => void;
  /** HTTP status that refuses upgrades. */
  refuseWith?: number;
}

/** Starts a web server of plain Node and `ws`, which misbehaves as our listener never does. */
async function serve({ subprotocol, onWebSocket, refuseWith }: ServerInit) {
  const answer: RequestListener = (_request, response) => response.end("<p>Welcome");
  const server = createServer(answer);
  if (onWebSocket !== undefined) {
    new WebSocketServer({ server, handleProtocols: () => subprotocol ?? false }).on("connection", onWebSocket);
  }
  if (refuseWith !== undefined) {
    server.on("upgrade", (_request, stream) => stream.end(`HTTP/1.1 ${refuseWith} No\r\nContent-Length: 0\r\n\r\n`));
  }
  const { port, close } = await bind(server, { host: "127.0.0.1", port: 0 }, async () => server.closeAllConnections());
  return { authority: `127.0.0.1:${port}`, [Symbol.asyncDispose]: close };
}

/** Returns the error in the status of the first attempt, and the name and cause of the error of a call that times out. */
function attempt({ page }: DriverPage, authority: string): Promise<{ status: string; call: string }> {
  return page.evaluate(async (url) => {
    const transport = oslo.getRpcTransport(url);
    transport.connect().catch(() => {}); // rejects when the transport is closed
    let status = "";
    for await (const now of transport.status()) {
      if (now.type === "disconnected") status = String(now.error);
      if (status !== "") break;
    }
    const calling = oslo.getRpcClient(transport, { topic: "unserved" }).call({}, "echo", {}, { timeoutMs: 500 });
    const call = await calling.then(String, ({ name, cause }: Error) => `${name}: ${cause}`);
    await transport.close();
    return { status, call };
  }, `amqp+ws://${authority}/`);
}

/** Expects the same error in the status and as the cause of the call's error. */
const both = (error: string) => ({ status: error, call: `MessagingTimeout: ${error}` });
