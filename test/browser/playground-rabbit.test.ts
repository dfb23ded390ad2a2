import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
import { PythonService } from "@/test/fixtures/python/python.js";

const LOGIN = { user: "page", password: "wonder%land" };

describe("the playground on RabbitMQ, through a relay", () => {
  let bed: RabbitMqBed;
  let relay: Relay;
  let folder: string;
  let service: PythonService;
  let server: Listening;
  let browser: Browser;
  let tab: Tab;
  let page: PlaygroundPage;
  let url: string;

  beforeAll(async () => {
    const files = await pageFiles({ webSocketUrl: "", tcpUrl: "" });
    [bed, browser, server] = await Promise.all([rabbitMqBed("3.10.8"), launchChromium(), servePage(files)]);
    relay = await startWebSocketRelay(bed.node.address);
    folder = await mkdtemp(join(tmpdir(), "playground-"));
    const path = join(folder, "compute.conf");
    const lines = ["[DEFAULT]", `transport_url = ${bed.url}`, "[oslo_messaging_notifications]", "driver = messagingv2"];
    await writeFile(path, lines.join("\n"));
    service = await PythonService.start(path, "compute");
    await bed.node.addUser({ username: LOGIN.user, password: LOGIN.password }, bed.virtualHost);
    url = `rabbit+ws://127.0.0.1:${relay.port}/${bed.virtualHost}`;
    tab = await Tab.open(browser, `http://127.0.0.1:${server.port}/`);
    page = new PlaygroundPage(tab.page);
    await page.connect(url, LOGIN);
    await page.connected("RabbitMQ");
    await page.serving();
  });

  afterEach(() => {
    expect(tab.takeErrors()).toEqual([]);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await relay?.close();
    await service?.stop();
    await rm(folder, { recursive: true });
  });

  test("the playground calls a Python service over RabbitMQ, and is called by it", async () => {
    const request = { topic: "compute", timeout: "20" };
    expect(await page.request("Call", { ...request, method: "create", args: '{"id": 7}' })).toMatch(
      /^ok\s+call compute create.*"instance 7"$/s,
    );
    const answer = await page.request("Call", { ...request, method: "ask", args: '{"topic": "browser"}' });
    expect(JSON.parse(answer.slice(answer.indexOf("{")))).toMatchObject({ server: expect.stringMatching(/^page-/) });
    await page.tab("Serve");
    await page.page.getByRole("list", { name: "Calls served" }).getByText("whoami").waitFor();
    expect(await page.request("Call", { ...request, method: "nothing" })).toMatch(/error\s+RemoteError/);
  });

  test("notifications reach the playground from Python over RabbitMQ, and Python from the playground", async () => {
    await page.request("Call", { topic: "compute", timeout: "20", method: "create", args: '{"id": 8}' });
    await page.tab("Notifications");
    await page.notifications('{"id":8}').waitFor();

    // The page listens too: RabbitMQ gives every second notification to Python, once that listens.
    let isWarned = false;
    const warned = service.warned("page.greeting").finally(() => {
      isWarned = true;
    });
    while (!isWarned) expect(await page.notify("warn", "page.greeting", '{"id": 9}')).toMatch(/^accepted after/);
    expect(await warned).toMatchObject({ publisherId: expect.stringMatching(/^page-/), payload: { id: 9 } });
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

  test("the playground connects to RabbitMQ 4 by AMQP 1.0, and says the same of its topology", async () => {
    const { node, virtualHost } = await rabbitMqBed("4");
    await node.addUser({ username: LOGIN.user, password: LOGIN.password }, virtualHost);
    await using relay = await startWebSocketRelay(node.address);
    await page.connect(`amqp+ws://127.0.0.1:${relay.port}/${virtualHost}`, LOGIN);
    await page.connected("RabbitMQ");
    await page.serving();
    expect(await page.example("this page")).toMatch(/^ok/);
    const panel = await page.tab("Topology");
    await panel.getByText(/^RabbitMQ publishes no topology/).waitFor();
    await page.button("Disconnect").click();
    await page.status("RPC", "not connected");
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
