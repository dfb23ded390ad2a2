import type { Browser } from "playwright";
import { afterAll, beforeAll } from "vitest";
import { launchFirefox } from "../browser/firefox.js";
import { openIn } from "../browser/scripted-page.js";
import { EMBEDDED_BROKER, EMBEDDED_ROUTER } from "../support/bus.js";
import { byPage } from "./page-performance.js";
import { busSuite } from "./runtime-suite.js";
import { BRIEFLY } from "./scenarios/scenarios.js";

let browser: Browser;

beforeAll(async () => {
  browser = await launchFirefox();
});

afterAll(() => browser?.close());

const open = openIn(() => browser);

busSuite(EMBEDDED_ROUTER, "amqp+ws", [
  { runtime: "a page in Firefox", performance: byPage(open, "page", "split") },
  { runtime: "a Web Worker in Firefox", performance: byPage(open, "worker", "alone"), only: BRIEFLY },
  { runtime: "a SharedWorker in Firefox", performance: byPage(open, "shared worker", "split"), only: BRIEFLY },
]);
busSuite(EMBEDDED_BROKER, "amqp+ws", [{ runtime: "a page in Firefox", performance: byPage(open, "page", "alone") }]);
