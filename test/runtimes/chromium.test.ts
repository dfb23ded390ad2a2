import type { Browser } from "playwright";
import { afterAll, beforeAll } from "vitest";
import { launchChromium } from "../browser/chromium.js";
import { openIn } from "../browser/scripted-page.js";
import { EMBEDDED_BROKER, EMBEDDED_ROUTER } from "../support/bus.js";
import { byPage } from "./page-performance.js";
import { busSuite } from "./runtime-suite.js";

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(() => browser?.close());

const open = openIn(() => browser);

busSuite(EMBEDDED_ROUTER, "amqp+ws", [
  { runtime: "a page in Chromium", performance: byPage(open, "page", "alone") },
  { runtime: "a Web Worker in Chromium", performance: byPage(open, "worker", "split") },
  { runtime: "a SharedWorker in Chromium", performance: byPage(open, "shared worker", "alone") },
]);
busSuite(EMBEDDED_BROKER, "amqp+ws", [{ runtime: "a page in Chromium", performance: byPage(open, "page", "split") }]);
