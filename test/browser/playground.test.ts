import type { Browser } from "playwright";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { getRpcClient, getRpcTransport } from "@/src/entry/node.js";
import { launchChromium } from "@/test/fixtures/browsers/chromium.js";
import { PlaygroundPage } from "@/test/fixtures/browsers/playground-page.js";
import { RunningPlayground } from "@/test/fixtures/browsers/running-playground.js";
import { Tab } from "@/test/fixtures/browsers/tab.js";
import { Child } from "@/test/fixtures/processes/child.js";
import { ROOT } from "@/test/fixtures/project.js";

/** Console message of the browser when a WebSocket cannot connect. */
const CANNOT_CONNECT = /WebSocket connection to .* failed/;

describe("the playground in a browser", () => {
  let playground: RunningPlayground;
  let browser: Browser;
  let tab: Tab;
  let page: PlaygroundPage;

  beforeAll(async () => {
    [playground, browser] = await Promise.all([RunningPlayground.start(), launchChromium()]);
    tab = await Tab.open(browser, playground.pageUrl, {
      viewport: { width: 1360, height: 1000 },
      colorScheme: "light",
    });
    page = new PlaygroundPage(tab.page);
  });

  afterEach(() => {
    expect(tab.takeErrors()).toEqual([]);
  });

  afterAll(async () => {
    await browser?.close();
    await playground?.[Symbol.asyncDispose]();
  });

  test("the playground connects to the router of npm start, and names it", async () => {
    expect(await page.page.locator("#embedded-url").innerText()).toBe(playground.webSocketUrl);
    const host = new URL(playground.webSocketUrl).host;
    for (const name of ["RPC", "Notifications"] as const) {
      expect(await page.status(name, /^connected/)).toBe(`connected to ${host}, oslo-messaging-router`);
    }
  });

  test("the playground shows the result and the latency of a call", async () => {
    const answer = await page.request("Call", {
      method: "echo",
      args: '{"arg": {"text": "héllo", "list": [1, null]}}',
    });
    expect(answer).toMatch(/^ok\s+call demo echo\s+[\d.]+ ms/);
    expect(JSON.parse(answer.slice(answer.indexOf("{")))).toEqual({ text: "héllo", list: [1, null] });
  });

  test("an example fills the console of the playground", async () => {
    expect(await page.example("add")).toMatch(/call demo add.*\b42$/s);
  });

  test("the playground offers the Python server as an example once it replies", async () => {
    const answer = await page.example("whoami, Python");
    expect(answer).toMatch(/^ok\s+call demo\/python-1 whoami/);
    expect(JSON.parse(answer.slice(answer.indexOf("{")))).toMatchObject({
      server: "python-1",
      python: expect.stringMatching(/^3\./),
    });
  });

  test("the playground shows the type and the message of a remote error", async () => {
    const answer = await page.request("Call", { server: "node-1", method: "fail", args: '{"kind": "custom"}' });
    expect(answer).toMatch(/^failed/);
    expect(answer).toMatch(/error\s+RemoteError\s+type\s+javascript\.PeerError\s+message\s+custom trouble/);
  });

  test("the playground shows the phase and the address of a call that times out on an unserved topic", async () => {
    const answer = await page.request("Call", { topic: "unserved", method: "echo", timeout: "0.5" });
    expect(answer).toMatch(/error\s+MessagingTimeout/);
    expect(answer).toMatch(/phase\s+credit\s+address\s+openstack.org\/om\/rpc\/anycast\/openstack\/unserved/);
  });

  test("the playground refuses arguments that are not a JSON object", async () => {
    expect(await page.request("Call", { method: "echo", args: "{arg: 1}" })).toMatch(
      /the arguments are not valid JSON: /,
    );
    expect(await page.request("Call", { method: "echo", args: "[1]" })).toMatch(/the arguments must be a JSON object/);
  });

  test("a cast from the playground reaches one server, a fanout each server including Python's", async () => {
    expect(await page.request("Cast", { method: "note", args: '{"arg": "one of you"}' })).toMatch(/\bsent$/);
    await page.tab("Notifications");
    await page.notifications("one of you").first().waitFor();
    expect(await page.request("Fanout", { method: "note", args: '{"arg": "all of you"}' })).toMatch(/\bsent$/);
    await page.tab("Notifications");
    for (const server of ["node-1", "node-2", "python-1"]) {
      await page
        .notifications("all of you")
        .filter({ hasText: `"server":"${server}"` })
        .waitFor();
    }
    expect(await page.notifications("one of you").count()).toBe(1);
  });

  test("the history of the playground repeats requests, and survives a reload without results", async () => {
    await page.request("Call", { method: "echo", args: '{"arg": "once more"}' });
    await page.page.getByRole("button", { name: "Again: call demo echo" }).first().click();
    const [first, second] = [0, 1].map((index) => page.page.locator("#exchanges > li").nth(index));
    for (const row of [first, second]) await row?.filter({ hasText: /^ok.*"once more"$/s }).waitFor();

    await page.page.reload();
    await page.connected();
    const earlier = page.page.locator("#exchanges > li").first();
    expect(await earlier.innerText()).toMatch(/^earlier\s+call demo echo/);
    await earlier.getByRole("button", { name: "Again: call demo echo" }).click();
    expect(await page.outcome()).toMatch(/^ok.*"once more"$/s);
    expect(await page.page.evaluate(() => JSON.stringify(localStorage))).not.toMatch(/password/i);

    await page.page.locator("#clear-exchanges").click();
    await page.page.reload();
    await page.connected();
    await page.page.getByText("No requests yet.").waitFor();
  });

  test("a direct call from the playground reaches the server in the same page", async () => {
    await page.button("this page").click();
    const name = await page.field("Server").inputValue();
    const answer = await page.press("Call");
    expect(answer).toContain(`call browser/${name} whoami`);
    expect(JSON.parse(answer.slice(answer.indexOf("{")))).toMatchObject({ server: name, ctxt: { page: name } });
    await page.tab("Serve");
    await page.page.getByRole("list", { name: "Calls served" }).getByText("whoami").waitFor();
  });

  test("a client in Node calls the playground's server by TCP until it stops, and again on another topic", async () => {
    await using transport = getRpcTransport(playground.tcpUrl, { logger: null });
    const client = getRpcClient(transport, { topic: "browser" }, { timeoutMs: 10_000 });
    await expect(client.call({}, "echo", { arg: "from Node" })).resolves.toBe("from Node");
    await page.tab("Serve");
    await page.page.getByRole("list", { name: "Calls served" }).getByText("from Node").waitFor();

    await page.button("Stop").click();
    await page.page.getByText("stopped", { exact: true }).waitFor();
    const late = client.call({}, "echo", { arg: "late" }, { timeoutMs: 500 });
    await expect(late).rejects.toMatchObject({ name: "MessagingTimeout" });

    await page.field("Topic to serve").fill(" ");
    await page.button("Start").click();
    await page.page.getByText("must have topic and server names").waitFor();
    await page.field("Topic to serve").fill("another");
    await page.button("Start").click();
    const other = getRpcClient(transport, { topic: "another" }, { timeoutMs: 10_000 });
    await expect(other.call({}, "echo", { arg: "again" })).resolves.toBe("again");
  });

  test("the command that the playground shows calls the server in the page, and so does its console", async () => {
    const command = await page.page.locator("#server-command").innerText();
    const server = await page.field("Server name").inputValue();
    expect(command).toMatch(/^npx oslo-messaging call /);
    // Without npx, which installs into a cache that other processes share.
    const direct = command.replace("npx oslo-messaging", `"${process.execPath}" dist/cli.js`);
    await using shell = new Child({ name: command, command: ["sh", "-c", direct], cwd: ROOT });
    await shell.waitForJson("a reply", (answer) => (answer["server"] === server ? answer : undefined));
    expect(await shell.exited).toBe(0);

    await page.button("Prepare a call to it").click();
    expect(await page.press("Call")).toContain(`call another/${server} whoami`);
  });

  test("the playground shows notifications from other clients", async () => {
    await page.tab("Notifications");
    await page.notifications("playground").first().waitFor();
  });

  test("the playground receives the notifications that it sends, and filters them by priority and event type", async () => {
    expect(await page.notify("critical", "test.critical", '{"n": 1}')).toMatch(/^accepted after/);
    expect(await page.notify("sample", "test.sample", '{"n": 2}')).toMatch(/^accepted after/);
    await page.notifications("test.critical").waitFor();
    await page.notifications("test.sample").waitFor();

    await page.page.getByRole("checkbox", { name: "sample" }).uncheck();
    await page.notifications("test.sample").waitFor({ state: "hidden" });
    expect(await page.notifications("test.critical").isVisible()).toBe(true);
    await page.notify("sample", "test.unseen", "3");
    await page.page.getByRole("checkbox", { name: "sample" }).check();
    await page.notifications("test.unseen").waitFor();

    const filter = page.page.getByRole("searchbox", { name: "Event type" });
    await filter.fill("*.critical");
    await page.notifications("test.sample").waitFor({ state: "hidden" });
    expect(await page.notifications("test.critical").isVisible()).toBe(true);
    await filter.fill("SAMPLE");
    await page.notifications("test.sample").waitFor();
    await filter.fill("");
  });

  test("a paused list of notifications only counts them until it is resumed", async () => {
    await page.button("Clear").click();
    await page.button("Pause").click();
    const count = page.page.locator("#notification-count");
    const before = await count.innerText();
    await page.notify("info", "test.held", "1");
    await page.page.waitForFunction(
      (text) => document.getElementById("notification-count")?.innerText !== text,
      before,
    );
    expect(await page.notifications("test.held").count()).toBe(0);
    await page.button("Pause").click();
    await page.notify("info", "test.seen", "2");
    await page.notifications("test.seen").waitFor();
  });

  test("the playground shows untrusted input as text", async () => {
    const markup = "<img src=x onerror=alert(1)>";
    await page.notify("info", markup, JSON.stringify(markup));
    await page.notifications(markup).waitFor();
    expect(await page.page.locator("img").count()).toBe(0);
  });

  test("the topology shows the listeners on each address, including Python, and counts the messages", async () => {
    const panel = await page.tab("Topology");
    await panel.getByText(/^oslo-messaging-router: \d+ connections/).waitFor();
    const picture = panel.getByRole("img", { name: /clients send and \d+ listen/ });
    for (const name of ["python-1", "demo servers", "demo/node-2", "demo notifier"]) {
      await picture.locator("text.name", { hasText: name }).first().waitFor();
    }
    await panel.getByText("As a table").click();
    const row = panel.getByRole("row").filter({ hasText: "rpc/unicast/openstack/demo/node-2" });
    await row.getByRole("cell", { name: "demo servers", exact: true }).waitFor();
    expect(await row.getByRole("cell").last().innerText()).toBe("0");
    const passed = Number(await row.getByRole("cell").nth(4).innerText());

    await page.example("whoami, node-2");
    await page.tab("Topology");
    await row.getByRole("cell", { name: String(passed + 1), exact: true }).waitFor();
    await row.getByRole("cell", { name: /^page-\w+ RPC$/ }).waitFor();
    await panel.getByText("As a table").click();
  });

  test("the topology animates messages along its lines, except with reduced motion", async () => {
    const pulses = page.page.locator("#topology-picture .pulse");
    await pulses.first().waitFor({ state: "attached" });
    await using still = await Tab.open(browser, `${playground.pageUrl}#topology`, { reducedMotion: "reduce" });
    const count = still.page.locator("#topology-picture .count").last();
    await count.waitFor();
    const before = await count.textContent();
    await still.page.evaluate(() => {
      const seen = new MutationObserver((records) => {
        const added = records.flatMap(({ addedNodes }) => [...addedNodes]);
        if (added.some((node) => node instanceof Element && node.matches(".pulse"))) document.title = "it moved";
      });
      seen.observe(document.body, { childList: true, subtree: true });
    });
    await expect.poll(() => count.textContent(), { timeout: 20_000 }).not.toBe(before);
    expect(await still.page.title()).toBe("oslo-messaging playground");
    expect(still.takeErrors()).toEqual([]);
  });

  test("the playground measures calls: a histogram of their latency, and messages per second", async () => {
    const panel = await page.tab("Metrics");
    await panel.getByLabel("Calls", { exact: true }).fill("50");
    await page.button("Send calls").click();
    await panel.getByText(/^50 of 50, in/).waitFor();
    await panel.getByText(/^\d+ calls: median [\d.]+ ms/).waitFor();
    await panel.getByText(/out: \d+ in the last second, ([5-9]\d|\d{3,}) in the last minute/).waitFor();
    for (const chart of ["#latency-chart", "#throughput-chart"]) expect(await inkOf(page, chart)).toBeGreaterThan(0);
    await page.button("Clear latencies").click();
    await panel.getByText("No calls yet.").waitFor();
  });

  test("the playground counts failed calls and shows the last error", async () => {
    const panel = await page.tab("Metrics");
    await panel.getByLabel("Topic to load").fill("unserved");
    await panel.getByLabel("Calls", { exact: true }).fill("2");
    await page.button("Send calls").click();
    await panel.getByText(/^2 of 2, 2 failed; last error: .*timed out/).waitFor({ timeout: 20_000 });
    await panel.getByLabel("Topic to load").fill("demo");
  });

  test("the playground lists the AMQP frames of both connections, and shows all fields on a click", async () => {
    await page.request("Call", { method: "echo", args: '{"arg": "seen"}', topic: "another", timeout: "1" });
    await page.tab("Frames");
    const attach = page.frames("attach").filter({ hasText: "anycast/openstack/another" }).filter({ hasText: "out" });
    await attach.locator("summary").first().click();
    expect(await attach.locator("pre").first().innerText()).toMatch(/"address": "openstack.org\/om\/rpc\/anycast\//);
    for (const connection of ["RPC", "notifications"]) {
      await page.frames("transfer").filter({ hasText: connection }).first().waitFor();
    }
  });

  test("the list of frames is filtered by connection, direction and text", async () => {
    await page.request("Call", { method: "echo", topic: "another", timeout: "1" });
    await page.tab("Frames");
    await page.page.getByRole("combobox", { name: "Connection" }).selectOption("RPC");
    await page.page.getByRole("combobox", { name: "Direction" }).selectOption("out");
    await page.page.getByRole("searchbox", { name: "Filter" }).fill("openstack/another");
    await page.frames("attach").first().waitFor();
    const texts = await page.page.locator("#frame-rows > tr").allInnerTexts();
    expect(texts.filter((text) => !/RPC\s+→ out/.test(text))).toEqual([]);
    await page.page.getByRole("searchbox", { name: "Filter" }).fill("");
    await page.page.getByRole("combobox", { name: "Connection" }).selectOption("both");
    await page.page.getByRole("combobox", { name: "Direction" }).selectOption("both");
  });

  test("an empty list of frames says that no frame matches", async () => {
    const panel = await page.tab("Frames");
    await page.page.getByRole("searchbox", { name: "Filter" }).fill("no frame has this");
    await panel.getByText("No frames to show.").waitFor();
    await page.page.getByRole("searchbox", { name: "Filter" }).fill("");
    await panel.getByText("No frames to show.").waitFor({ state: "hidden" });
  });

  test("the playground highlights Connect while it would change the connection", async () => {
    const standsOut = (): Promise<number> => page.page.locator("#connect.main").count();
    expect(await standsOut()).toBe(0);
    await page.choose("Another URL");
    expect(await standsOut()).toBe(1);
    await page.choose("Embedded router");
    await page.button("Connect").click();
    await page.page.locator("#connect:not(.main)").waitFor();
    await page.connected();
  });

  test("the list of frames can be paused and cleared", async () => {
    const passed = page.page.locator("#frame-count");
    await page.button("Pause").click();
    await page.button("Clear").click();
    const before = await passed.innerText();
    await page.request("Call", { method: "echo", args: '{"arg": "unseen"}' });
    await page.page.waitForFunction((text) => document.getElementById("frame-count")?.textContent !== text, before);
    expect(await page.page.locator("#frame-rows > tr").count()).toBe(0);

    await page.tab("Frames");
    await page.button("Pause").click();
    await page.request("Call", { method: "echo", args: '{"arg": "seen"}' });
    await page.tab("Frames");
    await page.frames("transfer").first().waitFor();
  });

  test("the playground disconnects and connects again", async () => {
    await page.button("Disconnect").click();
    expect(await page.status("RPC", "not connected")).toBe("not connected");
    await page.tab("RPC");
    expect(await page.button("Call").isDisabled()).toBe(true);
    await page.button("Connect").click();
    await page.connected();
    expect(await page.request("Call", { method: "echo", args: '{"arg": "back"}' })).toMatch(/^ok/);
  });

  test("Ctrl-C stops npm start with status 0 while the page is open, and the page shows the loss", async () => {
    expect(await playground.interrupt()).toBe(0);
    await page.status("RPC", /^(disconnected|connecting)/);
    await page.button("Disconnect").click();
    await page.status("RPC", "not connected");
    expect(tab.takeErrors().filter((error) => !CANNOT_CONNECT.test(error))).toEqual([]);
  });
});

/** Returns the number of painted pixels of a chart. */
async function inkOf({ page }: PlaygroundPage, chart: string): Promise<number> {
  const canvas = page.locator(`${chart} canvas`);
  return await canvas.evaluate((element) => {
    if (!(element instanceof HTMLCanvasElement)) throw new TypeError("a chart is a canvas");
    const { data = [] } = element.getContext("2d")?.getImageData(0, 0, element.width, element.height) ?? {};
    return Array.from(data).filter((value, index) => index % 4 === 3 && value > 0).length;
  });
}
