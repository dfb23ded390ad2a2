import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Listening } from "../../src/core/dial.js";
import { getRpcClient, getRpcTransport } from "../../src/entry/node.js";
import { Intermediary } from "../../src/intermediary/intermediary.js";
import { listenWebSocket } from "../../src/transports/websocket-listener.js";
import { Child } from "../support/child.js";
import { launchChromium } from "./chromium.js";
import { PlaygroundPage } from "./playground-page.js";
import { RunningPlayground } from "./running-playground.js";
import { Tab } from "./tab.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SCREENSHOT = join(ROOT, "docs/playground.png");

/** What the browser itself says about a WebSocket that nobody answers. */
const CANNOT_CONNECT = /WebSocket connection to .* failed/;

describe("the playground, used as a person would", () => {
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

  test("connects by itself, and says to what", async () => {
    expect(await page.field("Transport URL").inputValue()).toBe(playground.webSocketUrl);
    const host = new URL(playground.webSocketUrl).host;
    for (const name of ["RPC", "Notifications"] as const) {
      expect(await page.status(name, /^connected/)).toBe(`connected to ${host}, oslo-messaging-router`);
    }
  });

  test("a call shows its result and its latency", async () => {
    const answer = await page.request("Call", {
      method: "echo",
      args: '{"arg": {"text": "héllo", "list": [1, null]}}',
    });
    expect(answer).toMatch(/^ok\s+call demo echo\s+[\d.]+ ms/);
    expect(JSON.parse(answer.slice(answer.indexOf("{")))).toEqual({ text: "héllo", list: [1, null] });
  });

  test("an example fills the console", async () => {
    await page.button("add").click();
    expect(await page.press("Call")).toMatch(/call demo add.*\b42$/s);
  });

  test("a remote error shows its type and its message", async () => {
    const answer = await page.request("Call", { method: "fail", args: '{"kind": "custom"}' });
    expect(answer).toMatch(/^failed/);
    expect(answer).toMatch(/error\s+RemoteError\s+type\s+javascript\.PeerError\s+message\s+custom trouble/);
  });

  test("a call to a topic that nobody serves shows in which phase it waited, and for which address", async () => {
    const answer = await page.request("Call", { topic: "nobody", method: "echo", timeout: "0.5" });
    expect(answer).toMatch(/error\s+MessagingTimeout/);
    expect(answer).toMatch(/phase\s+credit\s+address\s+openstack.org\/om\/rpc\/anycast\/openstack\/nobody/);
  });

  test("arguments that are not JSON are refused where they were typed", async () => {
    expect(await page.request("Call", { method: "echo", args: "{arg: 1}" })).toMatch(/error\s+SyntaxError/);
  });

  test("a cast reaches one server, and a fanout every one", async () => {
    expect(await page.request("Cast", { method: "note", args: '{"arg": "one of you"}' })).toMatch(/handed over$/);
    await page.notifications("one of you").first().waitFor();
    expect(await page.request("Fanout", { method: "note", args: '{"arg": "all of you"}' })).toMatch(/handed over$/);
    for (const server of ["node-1", "node-2"]) {
      await page
        .notifications("all of you")
        .filter({ hasText: `"server":"${server}"` })
        .waitFor();
    }
    expect(await page.notifications("one of you").count()).toBe(1);
  });

  test("a direct call reaches the server in this very page", async () => {
    await page.button("this page").click();
    const name = await page.field("Server").inputValue();
    const answer = await page.press("Call");
    expect(answer).toContain(`call browser/${name} whoami`);
    expect(JSON.parse(answer.slice(answer.indexOf("{")))).toMatchObject({ server: name, ctxt: { page: name } });
    await page.page.getByRole("list", { name: "Calls served" }).getByText("whoami").waitFor();
  });

  test("a client in Node calls the server in the page by TCP, until it is stopped and after it is started again", async () => {
    await using transport = getRpcTransport(playground.tcpUrl);
    const client = getRpcClient(transport, { topic: "browser" }, { timeoutMs: 10_000 });
    await expect(client.call({}, "echo", { arg: "from Node" })).resolves.toBe("from Node");
    await page.page.getByRole("list", { name: "Calls served" }).getByText("from Node").waitFor();

    await page.button("Stop").click();
    await page.page.getByText("stopped", { exact: true }).waitFor();
    const late = client.call({}, "echo", { arg: "late" }, { timeoutMs: 500 });
    await expect(late).rejects.toMatchObject({ name: "MessagingTimeout" });

    await page.button("Start").click();
    await expect(client.call({}, "echo", { arg: "again" })).resolves.toBe("again");
  });

  test("the command that the page proposes calls its own server", async () => {
    const command = await page.page.locator("#server-command").innerText();
    const server = await page.page.locator("#server-name").innerText();
    expect(command).toMatch(/^npx oslo-messaging call /);
    // Not by npx itself, which installs into a cache that it shares with whatever else runs.
    const direct = command.replace("npx oslo-messaging", `"${process.execPath}" dist/cli.js`);
    await using shell = new Child({ name: command, command: ["sh", "-c", direct], cwd: ROOT });
    await shell.waitForJson("an answer", (answer) => (answer["server"] === server ? answer : undefined));
    expect(await shell.exited).toBe(0);
  });

  test("notifications of others come by themselves", async () => {
    await page.notifications("playground").first().waitFor();
  });

  test("a notification that the page sends comes back, and only the chosen priorities show", async () => {
    expect(await page.notify("critical", "test.critical", '{"n": 1}')).toMatch(/^taken after/);
    expect(await page.notify("sample", "test.sample", '{"n": 2}')).toMatch(/^taken after/);
    await page.notifications("test.critical").waitFor();
    await page.notifications("test.sample").waitFor();

    await page.page.getByRole("checkbox", { name: "sample" }).uncheck();
    await page.notifications("test.sample").waitFor({ state: "hidden" });
    expect(await page.notifications("test.critical").isVisible()).toBe(true);
    await page.notify("sample", "test.unseen", "3");
    await page.notify("info", "test.seen", "4");
    await page.notifications("test.seen").waitFor();

    await page.page.getByRole("checkbox", { name: "sample" }).check();
    await page.notifications("test.sample").waitFor();
    await page.notifications("test.unseen").waitFor();
  });

  test("what strangers send is shown as text", async () => {
    const markup = "<img src=x onerror=alert(1)>";
    await page.notify("info", markup, JSON.stringify(markup));
    await page.notifications(markup).waitFor();
    expect(await page.page.locator("img").count()).toBe(0);
  });

  test("the AMQP frames of both connections pass, and open to show all their fields", async () => {
    await page.request("Call", { method: "echo", args: '{"arg": "seen"}' });
    const attach = page.frames("attach").filter({ hasText: "anycast/openstack/demo" }).filter({ hasText: "out" });
    await attach.locator("summary").first().click();
    expect(await attach.locator("pre").first().innerText()).toMatch(/"address": "openstack.org\/om\/rpc\/anycast\//);
    for (const connection of ["RPC", "notifications"]) {
      await page.frames("transfer").filter({ hasText: connection }).first().waitFor();
    }
  });

  test("frames are held and cleared", async () => {
    const passed = page.page.locator("#frame-count");
    await page.button("Pause").click();
    await page.button("Clear").last().click();
    const before = await passed.innerText();
    await page.request("Call", { method: "echo", args: '{"arg": "unseen"}' });
    await page.page.waitForFunction((text) => document.getElementById("frame-count")?.innerText !== text, before);
    expect(await page.page.locator("#frames > tr").count()).toBe(0);

    await page.button("Resume").click();
    await page.request("Call", { method: "echo", args: '{"arg": "seen"}' });
    await page.frames("transfer").first().waitFor();
  });

  test("disconnects, says what is wrong with a URL, and connects again", async () => {
    await page.button("Disconnect").click();
    expect(await page.status("RPC", "not connected")).toBe("not connected");
    expect(await page.button("Call").isDisabled()).toBe(true);

    await page.connect("amqp://127.0.0.1/");
    expect(await page.status("RPC", "DriverLoadFailure")).toContain("amqp+ws, amqp+wss");

    await page.connect(playground.webSocketUrl);
    await page.status("RPC", /^connected/);
    expect(await page.request("Call", { method: "echo", args: '{"arg": "back"}' })).toMatch(/^ok/);
  });

  test("when the intermediary goes and comes back, the page shows it, and its server serves again", async () => {
    await page.button("Disconnect").click();
    const first = await webSocketBroker(0);
    await page.connect(`amqp+ws://127.0.0.1:${first.port}/`);
    await page.status("RPC", /^connected.*oslo-messaging-broker$/);
    await first.close();
    await page.status("RPC", /^(disconnected|connecting)/);
    const second = await webSocketBroker(first.port);
    for (const name of ["RPC", "Notifications"] as const) await page.status(name, /^connected.*; reconnects: 1$/);
    await page.button("this page").click();
    expect(await page.press("Call")).toMatch(/^ok/);
    await page.button("Disconnect").click();
    await page.status("RPC", "not connected");
    await second.close();
    expect(tab.takeErrors().filter((error) => !CANNOT_CONNECT.test(error))).toEqual([]);
  });

  if (process.env["UPDATE_SCREENSHOTS"] !== undefined) {
    test("a screenshot is taken of it", async () => {
      const size = { viewport: { width: 1360, height: 1000 }, colorScheme: "light" } as const;
      await using tab = await Tab.open(browser, playground.pageUrl, size);
      const page = new PlaygroundPage(tab.page);
      await page.status("Notifications", /^connected/);
      for (const example of ["fail", "this page", "note"]) {
        await page.button(example).click();
        await page.press(example === "note" ? "Fanout" : "Call");
      }
      await page.notifications("storage.backend.down").waitFor();
      await page.button("echo").click();
      await page.press("Call");
      await page.page.screenshot({ path: SCREENSHOT, fullPage: true });
    }, 60_000);
  }

  test("Ctrl-C ends it cleanly while the page is open, and the page says so", async () => {
    await page.connect(playground.webSocketUrl);
    await page.status("RPC", /^connected/);
    expect(await playground.interrupt()).toBe(0);
    await page.status("RPC", /^(disconnected|connecting)/);
    await page.button("Disconnect").click();
    await page.status("RPC", "not connected");
    expect(tab.takeErrors().filter((error) => !CANNOT_CONNECT.test(error))).toEqual([]);
  });
});

async function webSocketBroker(port: number): Promise<Listening> {
  const intermediary = new Intermediary({ kind: "broker" });
  const at = { host: "127.0.0.1", port, maxConnections: 10, maxMessageBytes: 1024 * 1024 };
  const listening = await listenWebSocket({ ...at, accept: intermediary.accept });
  return {
    port: listening.port,
    async close() {
      await intermediary.close();
      await listening.close();
    },
  };
}
