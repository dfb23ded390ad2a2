import type { Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Listening } from "@/src/core/byte-stream.js";
import { Intermediary } from "@/src/intermediary/intermediary.js";
import { listenWebSocket } from "@/src/transports/node/websocket-listener.js";
import { launchChromium } from "@/test/fixtures/browsers/chromium.js";
import { DriverPage } from "@/test/fixtures/browsers/driver-page.js";

describe("SASL in a page", () => {
  const users = new Map([["joe", "secret ß"]]);
  const intermediary = new Intermediary({ kind: "broker", users, tokens: new Set(["t0ken"]) });
  let browser: Browser;
  let tab: DriverPage;
  let listening: Listening;

  beforeAll(async () => {
    const { accept } = intermediary;
    listening = await listenWebSocket({
      host: "127.0.0.1",
      port: 0,
      maxConnections: 20,
      maxMessageBytes: 65_536,
      accept,
    });
    browser = await launchChromium();
    tab = await DriverPage.open(browser);
  });

  afterAll(async () => {
    await tab?.[Symbol.asyncDispose]();
    await browser?.close();
    await intermediary.close();
    await listening?.close();
  });

  /** Resolves with the outcome of the first attempt to connect, and with its SASL mechanism. */
  function attempt(password: string, mechanisms: string, token?: string) {
    const url = `amqp+ws://joe:${encodeURIComponent(password)}@127.0.0.1:${listening.port}/?sasl_mechanisms=${mechanisms}`;
    return tab.page.evaluate(
      async ({ url, token }) => {
        let mechanism: unknown;
        const transport = oslo.getRpcTransport(url, {
          ...(token !== undefined && { credentials: () => ({ token }) }),
          onFrame({ fields }) {
            if ("mechanism" in fields) mechanism = fields.mechanism;
          },
        });
        transport.connect().catch(() => {});
        let end = "";
        for await (const status of transport.status()) {
          if (status.type === "disconnected") end = String(status.error);
          if (status.type === "connected") end = "connected";
          if (end !== "") break;
        }
        await transport.close();
        return { mechanism, end };
      },
      { url, token },
    );
  }

  test.each(["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"])(
    "a page authenticates with %s, and a wrong password is refused",
    async (mechanism) => {
      expect(await attempt("secret ß", mechanism)).toEqual({ mechanism, end: "connected" });
      const { end } = await attempt("wrong", mechanism);
      expect(end).toContain(`${mechanism} of user "joe" failed: the credentials were refused`);
    },
  );

  test("a page uses the strongest SASL mechanism by default", async () => {
    expect(await attempt("secret ß", "")).toEqual({ mechanism: "SCRAM-SHA-512", end: "connected" });
  });

  test("a page authenticates with a token from a credentials function", async () => {
    expect(await attempt("none", "", "t0ken")).toEqual({ mechanism: "OAUTHBEARER", end: "connected" });
  });
});
