import type { Browser } from "playwright";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { pageFiles } from "@/playground/page-files.js";
import { servePage } from "@/playground/page-server.js";
import type { Listening } from "@/src/core/byte-stream.js";
import type { Relay } from "@/src/relay/relay.js";
import { EMBEDDED_ROUTER } from "@/test/fixtures/beds/bus-plan.js";
import { type RabbitMqBed, rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { launchChromium } from "@/test/fixtures/browsers/chromium.js";
import { PlaygroundPage } from "@/test/fixtures/browsers/playground-page.js";
import { Tab } from "@/test/fixtures/browsers/tab.js";
import { startWebSocketRelay } from "@/test/fixtures/network/websocket-relay.js";
import { PythonClient, PythonListener, PythonNotifier, PythonServer } from "@/test/fixtures/python/python.js";

const LOGIN = { user: "page", password: "wonder%land" };

describe("the playground on RabbitMQ, through a relay", () => {
  let bed: RabbitMqBed;
  let relay: Relay;
  let server: Listening;
  let browser: Browser;
  let tab: Tab;
  let page: PlaygroundPage;
  let url: string;

  beforeAll(async () => {
    const files = await pageFiles({ webSocketUrl: "", tcpUrl: "" });
    [bed, browser, server] = await Promise.all([rabbitMqBed("3.10.8"), launchChromium(), servePage(files)]);
    relay = await startWebSocketRelay(bed.node.address);
    await bed.node.addUser({ username: LOGIN.user, password: LOGIN.password }, bed.virtualHost);
    url = `rabbit+ws://127.0.0.1:${relay.port}/${bed.virtualHost}`;
    tab = await Tab.open(browser, `http://127.0.0.1:${server.port}/`);
    page = new PlaygroundPage(tab.page);
    await page.connect(url, LOGIN);
    await page.connected("RabbitMQ");
  });

  afterEach(() => {
    expect(tab.takeErrors()).toEqual([]);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await relay?.close();
  });

  test("the playground calls a Python server over RabbitMQ, and shows its result and its error", async () => {
    await using _python = await PythonServer.start({ url: bed.url, topic: "demo", server: "python-1" });
    const answer = await page.request("Call", { method: "whoami" });
    expect(answer).toMatch(/^ok\s+call demo whoami/);
    expect(JSON.parse(answer.slice(answer.indexOf("{")))).toMatchObject({ server: "python-1" });
    expect(await page.example("fail")).toMatch(/error\s+RemoteError\s+type\s+peers_exc\.PeerError/);
  });

  test("a Python client calls the playground's server over RabbitMQ", async () => {
    await using python = await PythonClient.start(bed.url);
    const call = { target: { topic: "browser" }, method: "echo", args: { arg: "from Python" } };
    expect(await python.call(call)).toBe("from Python");
    await page.tab("Serve");
    await page.page.getByRole("list", { name: "Calls served" }).getByText("from Python").waitFor();
  });

  test("notifications reach the playground from Python over RabbitMQ, and Python from the playground", async () => {
    await using notifier = await PythonNotifier.start(bed.url);
    const notification = { topic: "notifications", priority: "info", publisherId: "python", payload: { id: 1 } };
    await notifier.notify({ ...notification, driver: "messagingv2", eventType: "python.event" });
    await page.tab("Notifications");
    await page.notifications("python.event").waitFor();

    await using listener = await PythonListener.start(bed.url, "notifications", { pool: "python" });
    expect(await page.notify("warn", "page.greeting", '{"text": "hi"}')).toMatch(/^accepted after/);
    expect(await listener.saw("page.greeting")).toMatchObject({ priority: "warn", payload: { text: "hi" } });
  });

  test("the playground lists the frames of AMQP 0-9-1 with channels and fields, filters them, and shows no secret", async () => {
    await page.button("Disconnect").click();
    await page.status("RPC", "not connected");
    await page.tab("Frames");
    await page.button("Clear").click();
    await page.connect(url, LOGIN);
    await page.connected("RabbitMQ");
    await page.example("this page");
    await page.tab("Frames");

    const login = page.frames("connection.start-ok").filter({ hasText: "mechanism AMQPLAIN" }).first();
    await login.locator("summary").click();
    expect(await login.locator("pre").innerText()).toContain('"connection_name"');
    const request = page.frames("basic.publish").filter({ hasText: "routingKey browser.page-" }).first();
    expect(await request.innerText()).toMatch(/RPC\s+→ out\s+[1-9]\d*\s+basic\.publish\s+\d+\s+exchange openstack, /);
    await page.frames("content-header").filter({ hasText: "contentType application/json" }).first().waitFor();
    await page.frames("content-body").filter({ hasText: "payloadBytes" }).first().waitFor();

    await page.page.getByRole("searchbox", { name: "Filter" }).fill("basic.deliver");
    await page.page.getByRole("combobox", { name: "Direction" }).selectOption("in");
    await page.frames("basic.deliver").first().waitFor();
    const texts = await page.page.locator("#frame-rows > tr").allInnerTexts();
    expect(texts.filter((text) => !/← in\s+\d+\s+basic\.deliver/.test(text))).toEqual([]);
    await page.page.getByRole("searchbox", { name: "Filter" }).fill("");
    await page.page.getByRole("combobox", { name: "Direction" }).selectOption("both");

    const shown = await page.page.evaluate(() => document.body.textContent + JSON.stringify(localStorage) + location);
    expect(shown).not.toContain("wonder");
  });

  test("the playground says where RabbitMQ shows its queues, and counts its messages", async () => {
    const panel = await page.tab("Topology");
    await panel.getByText(/^RabbitMQ publishes no topology.*rabbitmqctl list_exchanges, /).waitFor();
    expect(await panel.locator("#topology-picture").isVisible()).toBe(false);
    await page.example("this page");
    const metrics = await page.tab("Metrics");
    await metrics.getByText(/^Messages in: .*, [1-9]\d* in the last minute; out: .*, [1-9]\d* in the last/).waitFor();
  });

  test("the playground uses a router for RPC and RabbitMQ for notifications, or the other way round, and shows the router's topology", async () => {
    await using router = await EMBEDDED_ROUTER.start();
    const hybrid = page.page.getByRole("checkbox", { name: "Use another URL for notifications" });
    await page.choose("Another URL");
    await hybrid.check();
    await page.field("Transport URL for notifications").fill(url);
    await page.field("User for notifications").fill(LOGIN.user);
    await page.page.getByLabel("Password for notifications").fill(LOGIN.password);
    await page.connect(router.url("amqp+ws"));
    await page.status("RPC", /^connected.*oslo-messaging-router$/);
    await page.status("Notifications", /^connected.*RabbitMQ$/);
    expect(await page.example("this page")).toMatch(/^ok/);
    await page.notify("info", "page.hybrid", "1");
    await page.notifications("page.hybrid").waitFor();
    const panel = await page.tab("Topology");
    await panel.getByText(/^oslo-messaging-router: \d+ connections/).waitFor();

    await page.field("Transport URL for notifications").fill(router.url("amqp+ws"));
    await page.field("User for notifications").fill("");
    await page.page.getByLabel("Password for notifications").fill("");
    await page.connect(url, LOGIN);
    await page.status("RPC", /^connected.*RabbitMQ$/);
    await page.status("Notifications", /^connected.*oslo-messaging-router$/);
    await page.tab("Topology");
    await panel.getByText(/^oslo-messaging-router: \d+ connections/).waitFor();
    await hybrid.uncheck();
  });

  test("the playground shows that RabbitMQ refuses a login, and connects with another one", async () => {
    await page.connect(url, { ...LOGIN, password: "wrong" });
    await page.status("RPC", /^disconnected.*(ACCESS_REFUSED|Authentication|refused)/i);
    await page.connect(url, LOGIN);
    await page.connected("RabbitMQ");
  });
});
