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
  "closed with 1006, and the runtime does not tell why (a browser's console does): nothing listens there, its " +
  "certificate is not trusted, this page may not connect there, or what answers is no WebSocket with the sub-protocol " +
  '"amqp"';
const MIXED_CONTENT = "a page from https may open only wss://, so the URL must be amqp+wss";

const cannotOpen = (authority: string, why: string): string =>
  `Error: cannot open WebSocket ws://${authority}/: ${why}`;
const notSelected = (authority: string): string =>
  `Error: the server at ws://${authority}/ did not select the sub-protocol "amqp"`;

const BROWSERS = [
  { name: "Chromium", launch: launchChromium, tellsOfNoSubprotocol: (at: string) => cannotOpen(at, UNTOLD) },
  { name: "Firefox", launch: launchFirefox, tellsOfNoSubprotocol: notSelected },
];

describe.each(BROWSERS)("a page in $name", ({ launch, tellsOfNoSubprotocol }) => {
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

  test("says that nothing may listen where it shall connect", async () => {
    const { host, port } = ownAddress();
    const authority = `${host}:${port}`;
    expect(await attempt(tab, authority)).toEqual(both(cannotOpen(authority, UNTOLD)));
  });

  test("says that what answers may not speak WebSocket, when it is a web server", async () => {
    await using server = await serve({});
    expect(await attempt(tab, server.authority)).toEqual(both(cannotOpen(server.authority, UNTOLD)));
  });

  test.each([400, 404])("says so when the upgrade is refused with HTTP %d, too", async (status) => {
    await using server = await serve({ refuseWith: status });
    expect(await attempt(tab, server.authority)).toEqual(both(cannotOpen(server.authority, UNTOLD)));
  });

  test("says that the server may lack, or lacks, the sub-protocol", async () => {
    await using server = await serve({ onWebSocket() {} });
    expect(await attempt(tab, server.authority)).toEqual(both(tellsOfNoSubprotocol(server.authority)));
  });

  test("says of a server that sends text that AMQP is binary", async () => {
    await using server = await serve({ subprotocol: "amqp", onWebSocket: (ws) => ws.send("AMQP") });
    const error = `ConnectionLost: ws://${server.authority}/: a text message came, and AMQP is binary`;
    expect(await attempt(tab, server.authority)).toEqual(both(error));
  });

  test("says, when it is from https, that it may open no ws://", async () => {
    await using page = await DriverPage.openByHttps(browser);
    const authority = "broker.example:5673";
    expect(await attempt(page, authority)).toEqual(both(cannotOpen(authority, MIXED_CONTENT)));
  });
});

interface ServerInit {
  subprotocol?: string;
  /** Absent: it knows no WebSockets. */
  onWebSocket?: (ws: WebSocket) => void;
  /** An upgrade is answered with this HTTP status. */
  refuseWith?: number;
}

/** A web server of plain Node and `ws`, that does what ours never would. */
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

/** The error that the status tells of the first attempt, and then the cause of the failure of a call that could not wait. */
function attempt({ page }: DriverPage, authority: string): Promise<{ status: string; call: string }> {
  return page.evaluate(async (url) => {
    const transport = oslo.getRpcTransport(url);
    transport.connect().catch(() => {}); // it fails when the transport is closed
    let status = "";
    for await (const now of transport.status()) {
      if (now.type === "disconnected") status = String(now.error);
      if (status !== "") break;
    }
    const calling = oslo.getRpcClient(transport, { topic: "nobody" }).call({}, "echo", {}, { timeoutMs: 500 });
    const call = await calling.then(String, ({ name, cause }: Error) => `${name}: ${cause}`);
    await transport.close();
    return { status, call };
  }, `amqp+ws://${authority}/`);
}

/** The same error for whoever asks. */
const both = (error: string) => ({ status: error, call: `MessagingTimeout: ${error}` });
