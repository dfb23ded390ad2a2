import type { Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Deferred } from "@/src/core/deferred.js";
import type { Logger } from "@/src/core/logger.js";
import { getRpcClient, getRpcServer, getRpcTransport, type RPCServer, type RPCTransport } from "@/src/entry/node.js";
import { uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { embedded, type Guarded } from "@/test/fixtures/beds/embedded.js";
import { launchChromium } from "@/test/fixtures/browsers/chromium.js";
import { DriverPage } from "@/test/fixtures/browsers/driver-page.js";
import { launchFirefox } from "@/test/fixtures/browsers/firefox.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

describe.each([
  { name: "Chromium", launch: launchChromium },
  { name: "Firefox", launch: launchFirefox },
])("in $name", ({ launch }) => {
  const topic = uniqueTopic("node");
  const pageTopic = uniqueTopic("page");
  const atIntermediary = new Inbox<string>("the intermediary's log");
  const atServer = new Inbox<string>("the server's log");
  const called = new Inbox<Deferred<string>>("the server");
  let intermediary: Guarded;
  let transport: RPCTransport;
  let server: RPCServer;
  let browser: Browser;
  let tab: DriverPage;
  let url: string;

  beforeAll(async () => {
    intermediary = await embedded({ by: "websocket", logger: logInto(atIntermediary) });
    url = `amqp+ws://127.0.0.1:${intermediary.port}/`;
    transport = getRpcTransport(url, { logger: logInto(atServer) });
    const endpoint = {
      echo: (_context: object, { arg }: { arg: string }) => arg,
      hold() {
        const answer = new Deferred<string>();
        called.put(answer);
        return answer.promise;
      },
    };
    server = getRpcServer(transport, { topic, server: "node" }, [endpoint]);
    await server.start();
    await connected();
    browser = await launch();
    tab = await DriverPage.open(browser);
  });

  afterAll(async () => {
    await tab?.[Symbol.asyncDispose]();
    await browser?.close();
    await server?.stop();
    await transport?.close();
    await intermediary?.[Symbol.asyncDispose]();
  });

  test("a page reloaded during a call disconnects at once, its reply is undeliverable, and it calls again", async () => {
    await tab.page.evaluate(
      ({ url, topic }) => void oslo.getRpcClient(oslo.getRpcTransport(url), { topic }).call({}, "hold"),
      {
        url,
        topic,
      },
    );
    const answer = await called.take("the call", (held) => held);
    await connected();
    await tab.reload();
    await disconnected();

    answer.resolve("too late");
    await atServer.take("an undeliverable reply", (line) => (line.startsWith("warn: RPC Reply") ? line : undefined));
    const again = await tab.page.evaluate(
      async ({ url, topic }) =>
        await oslo.getRpcClient(oslo.getRpcTransport(url), { topic }).call({}, "echo", { arg: "again" }),
      { url, topic },
    );
    expect(again).toBe("again");
    await connected();
    expect(atIntermediary.unread.filter((line) => line.includes("connected"))).toEqual([]);
  });

  test("a page that is reloaded while it serves lets its caller time out, and serves again", async () => {
    await serve();
    const client = getRpcClient(transport, { topic: pageTopic });
    const calling = client.call({}, "hold", {}, { timeoutMs: 3_000 });
    const end = expect(calling).rejects.toMatchObject({ name: "MessagingTimeout", phase: "reply" });
    await tab.told.take("the call", (told) => (told === "called" ? true : undefined));
    await tab.reload();
    await end;
    await serve();
    expect(await client.call({}, "echo", { arg: "again" })).toBe("again");
  });

  async function serve(): Promise<void> {
    await tab.page.evaluate(
      async ({ url, topic }) => {
        const endpoint = {
          echo: (_context: object, { arg }: { arg: string }) => arg,
          hold: () => tell("called").then(() => new Promise(() => {})),
        };
        await oslo.getRpcServer(oslo.getRpcTransport(url), { topic, server: "page" }, [endpoint]).start();
      },
      { url, topic: pageTopic },
    );
  }

  const logged = (event: string) =>
    atIntermediary.take(event, (line) => (line.startsWith("info: ") && line.endsWith(` ${event}`) ? line : undefined));
  const connected = () => logged("connected");
  const disconnected = () => logged("disconnected");
});

function logInto(inbox: Inbox<string>): Logger {
  const at = (level: string) => (message: string) => inbox.put(`${level}: ${message}`);
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
