import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { getRpcServer, getRpcTransport } from "@/src/entry/node.js";
import { type EmbeddedInit, embedded } from "@/test/fixtures/beds/embedded.js";
import type { Launch, ScriptedBrowser } from "@/test/fixtures/browsers/scripted-page.js";
import { CA, pemFile, SERVER, VHOST_SERVER } from "@/test/fixtures/network/tls.js";
import { type Site, serveSite } from "@/test/fixtures/runtimes/site.js";

/** Declares the tests of TLS with certificates of a private CA, in a browser that trusts it and in one that does not. */
export function authoritySuite(name: string, launch: Launch, untold: () => ScriptedBrowser): void {
  describe(`a page in ${name}, by amqp+wss with a certificate of a private CA`, { timeout: 60_000 }, () => {
    const closers: (() => Promise<void>)[] = [];
    let site: Site;
    let url: string;

    beforeAll(async () => {
      site = await serveSite();
      closers.push(() => site.close());
      url = await listen(SERVER);
      const transport = getRpcTransport(url, { logger: null, tls: { ca: CA } });
      closers.push(() => transport.close());
      const endpoint = { double: (_context: object, { n }: { n: number }) => 2 * n };
      await getRpcServer(transport, { topic: "numbers", server: "here" }, [endpoint]).start();
    });

    afterAll(async () => {
      for (const close of closers.reverse()) await close();
    });

    async function listen(tls: EmbeddedInit["tls"]): Promise<string> {
      const broker = await embedded({ by: "websocket", tls });
      closers.push(async () => broker[Symbol.asyncDispose]());
      return `amqp+wss://localhost:${broker.port}/`;
    }

    /** Answer to a page's call, or the error of its connection. */
    async function call(browser: ScriptedBrowser, url: string): Promise<unknown> {
      const page = await browser.open(site.url("in one file"));
      const outcome = await page.evaluate(async (url) => {
        const oslo = await loadLibrary();
        const transport = oslo.getRpcTransport(url);
        const calling = oslo.getRpcClient(transport, { topic: "numbers" }).call({}, "double", { n: 21 });
        const failing = (async () => {
          for await (const status of transport.status()) {
            if (status.type === "disconnected") return status.error?.message;
          }
          return undefined;
        })();
        const outcome = await Promise.race([calling, failing]);
        calling.catch(() => {}); // rejects when the transport is closed
        await transport.close();
        return outcome;
      }, url);
      await page.close();
      return outcome;
    }

    test("a page's call is answered once the browser trusts the CA, but not with the certificate of another host", async () => {
      const told = await launch({ trusts: pemFile("ca") });
      closers.push(() => told.close());
      expect(await call(told, url)).toBe(42);
      expect(await call(told, await listen(VHOST_SERVER))).toContain("its certificate is not trusted");
    });

    test("the status in a browser that does not trust the CA names the certificate as a possible cause", async () => {
      expect(await call(untold(), url)).toContain("its certificate is not trusted");
    });
  });
}
