import type { Browser } from "playwright";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { pageFiles } from "@/playground/page-files.js";
import { servePage } from "@/playground/page-server.js";
import type { Listening } from "@/src/core/byte-stream.js";
import { getNotificationTransport, Notifier } from "@/src/entry/node.js";
import { Intermediary, type IntermediaryOptions } from "@/src/intermediary/intermediary.js";
import { listenWebSocket } from "@/src/transports/node/websocket-listener.js";
import { ARTEMIS_ROUTABLE } from "@/test/fixtures/beds/bus-plan.js";
import { launchChromium } from "@/test/fixtures/browsers/chromium.js";
import { PlaygroundPage } from "@/test/fixtures/browsers/playground-page.js";
import { Tab } from "@/test/fixtures/browsers/tab.js";
import { type LoopbackAddress, ownAddress } from "@/test/fixtures/network/loopback.js";

const CANNOT_CONNECT = /WebSocket connection to .* failed/;
const LOGIN = { user: "alice", password: "wonder%land" };

describe("the playground with typed URLs", () => {
  let server: Listening;
  let browser: Browser;
  let tab: Tab;
  let page: PlaygroundPage;

  beforeAll(async () => {
    const [files, launched] = await Promise.all([pageFiles({ webSocketUrl: "", tcpUrl: "" }), launchChromium()]);
    browser = launched;
    server = await servePage(files);
    tab = await Tab.open(browser, `http://127.0.0.1:${server.port}/`);
    page = new PlaygroundPage(tab.page);
    await page.connected();
  });

  afterEach(async () => {
    await page.button("Disconnect").click();
    await page.status("RPC", "not connected");
    expect(tab.takeErrors().filter((error) => !CANNOT_CONNECT.test(error))).toEqual([]);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  test("the playground reports an invalid URL and marks its field, and a missing URL", async () => {
    await page.connect("amqp://127.0.0.1/");
    expect(await page.status("RPC", "DriverLoadFailure")).toContain("amqp+ws, amqp+wss");
    await page.connect("localhost:5673");
    expect(await page.status("RPC", "InvalidTransportURL")).toContain("localhost:5673");
    expect(await page.field("Transport URL").getAttribute("aria-invalid")).toBe("true");
    await page.connect("");
    await page.status("RPC", "Type a URL");
    await page.choose("In this page");
    await page.button("Connect").click();
    await page.connected();
  });

  test("the playground accepts a plain ws:// URL, with the path of the WebSocket", async () => {
    await using bus = await webSocketBus({ kind: "broker" });
    await page.connect(`ws://127.0.0.1:${bus.port}/`);
    await page.connected("oslo-messaging-broker");
    expect(await page.example("this page")).toMatch(/^ok/);
  });

  test("the playground authenticates, and neither shows nor stores a typed password", async () => {
    await using bus = await webSocketBus({ kind: "router", users: new Map([[LOGIN.user, LOGIN.password]]) });
    const at = `127.0.0.1:${bus.port}/`;
    await page.connect(`amqp+ws://${at}`);
    await page.status("RPC", /^disconnected.*(sasl|auth)/i);
    await page.connect(`amqp+ws://${at}`, LOGIN);
    await page.connected("oslo-messaging-router");

    await page.connect(`amqp+ws://${LOGIN.user}:wonder%25land@${at}`);
    await page.connected("oslo-messaging-router");
    expect(await page.field("Transport URL").inputValue()).toBe(`amqp+ws://${at}`);
    expect(await page.field("User").inputValue()).toBe(LOGIN.user);
    const panel = await page.tab("Topology");
    await panel.getByText(/^oslo-messaging-router: \d+ connections/).waitFor();
    const shown = await page.page.evaluate(() => document.body.textContent + JSON.stringify(localStorage) + location);
    expect(shown).not.toMatch(/wonder/);
  });

  test("the playground uses one intermediary for RPC and another for notifications", async () => {
    await using forRpc = await webSocketBus({ kind: "router" });
    await using forNotifications = await webSocketBus({
      kind: "broker",
      users: new Map([[LOGIN.user, LOGIN.password]]),
    });
    await page.choose("Another URL");
    await page.page.getByRole("checkbox", { name: "Use another URL for notifications" }).check();
    await page.field("Transport URL for notifications").fill(`amqp+ws://127.0.0.1:${forNotifications.port}/`);
    await page.field("User for notifications").fill(LOGIN.user);
    await page.page.getByLabel("Password for notifications").fill(LOGIN.password);
    await page.connect(`amqp+ws://127.0.0.1:${forRpc.port}/`);
    await page.status("RPC", /^connected.*oslo-messaging-router$/);
    await page.status("Notifications", /^connected.*oslo-messaging-broker$/);

    expect(await page.example("this page")).toMatch(/^ok/);
    const url = `amqp+ws://${LOGIN.user}:wonder%25land@127.0.0.1:${forNotifications.port}/`;
    await using transport = getNotificationTransport(url, { logger: null });
    await new Notifier(transport, { publisherId: "elsewhere" }).info({}, "test.hybrid", {});
    await page.tab("Notifications");
    await page.notifications("test.hybrid").waitFor();
    await page.page.getByRole("checkbox", { name: "Use another URL for notifications" }).uncheck();
  });

  test("the playground connects to Artemis with credentials, and says that Artemis publishes no topology", async () => {
    await using bus = await ARTEMIS_ROUTABLE.start();
    await page.connect(bus.url("amqp+ws"));
    await page.connected("artemis");
    expect(await page.example("this page")).toMatch(/^ok/);
    const panel = await page.tab("Topology");
    await panel.getByText("Only oslo-messaging's own intermediary publishes its topology.").waitFor();
  });

  test("the playground shows the loss and the restart of its intermediary, and serves again", async () => {
    const at = ownAddress();
    const first = await webSocketBus({ kind: "broker" }, at);
    await page.connect(`amqp+ws://${at.host}:${at.port}/`);
    await page.connected("oslo-messaging-broker");
    const panel = await page.tab("Topology");
    await panel.getByText(/^oslo-messaging-broker: \d+ connections/).waitFor();
    await first[Symbol.asyncDispose]();
    await page.status("RPC", /^(disconnected|connecting)/);
    await panel.getByText("No topology until the connection is restored.").waitFor();
    await using _second = await webSocketBus({ kind: "broker" }, at);
    for (const name of ["RPC", "Notifications"] as const) await page.status(name, /^connected.*; reconnects: 1$/);
    await panel.getByText(/^oslo-messaging-broker: \d+ connections/).waitFor();
    expect(await page.example("this page")).toMatch(/^ok/);
    await page.tab("Topology");
    await page.button("Disconnect").click();
    await page.status("RPC", "not connected");
    await page.connect(`amqp+ws://${at.host}:${at.port}/`);
    await page.connected("oslo-messaging-broker");
  });
});

async function webSocketBus(
  options: IntermediaryOptions,
  at: LoopbackAddress = { host: "127.0.0.1", port: 0 },
): Promise<Listening & AsyncDisposable> {
  const intermediary = new Intermediary(options);
  const limits = { maxConnections: 20, maxMessageBytes: 1024 * 1024 };
  const listening = await listenWebSocket({ ...at, ...limits, accept: intermediary.accept });
  const close = async (): Promise<void> => {
    await intermediary.close();
    await listening.close();
  };
  return { port: listening.port, close, [Symbol.asyncDispose]: close };
}
