import { afterAll, beforeAll } from "vitest";
import type { OpenPage } from "../browser/scripted-page.js";
import { WebKit } from "../browser/webkit.js";
import { EMBEDDED_BROKER, EMBEDDED_ROUTER } from "../support/bus.js";
import { byPage } from "./page-performance.js";
import { busSuite } from "./runtime-suite.js";
import { BRIEFLY } from "./scenarios/scenarios.js";

let browser: WebKit;

beforeAll(async () => {
  browser = await WebKit.launch();
});

afterAll(() => browser?.close());

const open: OpenPage = (url) => browser.open(url);

busSuite(EMBEDDED_ROUTER, "amqp+ws", [
  { runtime: "a page in WebKitGTK", performance: byPage(open, "page", "alone") },
  { runtime: "a Web Worker in WebKitGTK", performance: byPage(open, "worker", "split"), only: BRIEFLY },
  { runtime: "a SharedWorker in WebKitGTK", performance: byPage(open, "shared worker", "alone"), only: BRIEFLY },
]);
busSuite(EMBEDDED_BROKER, "amqp+ws", [{ runtime: "a page in WebKitGTK", performance: byPage(open, "page", "split") }]);
