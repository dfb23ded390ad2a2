import { afterAll, beforeAll } from "vitest";
import { EMBEDDED_BROKER, EMBEDDED_ROUTER } from "@/test/fixtures/beds/bus-plan.js";
import type { RabbitMqVersion } from "@/test/fixtures/beds/rabbitmq-installation.js";
import type { Launch, ScriptedBrowser } from "@/test/fixtures/browsers/scripted-page.js";
import { embeddedBed } from "@/test/fixtures/runtimes/embedded-bed.js";
import type { PageContext } from "@/test/fixtures/runtimes/page/page.js";
import { inBrowser } from "@/test/fixtures/runtimes/page-run.js";
import { rabbitBed } from "@/test/fixtures/runtimes/rabbit-bed.js";
import type { Published } from "@/test/fixtures/runtimes/site.js";
import { authoritySuite } from "./authority-suite.js";
import { bedSuite, type Performer } from "./runtime-suite.js";
import { BRIEFLY } from "./scenarios/scenarios.js";

interface BrowserSuiteOptions {
  /** Default: 3.10.8. */
  rabbitMq?: RabbitMqVersion | undefined;
  /** Scenarios that its workers run. Default: all, as in its pages. */
  inWorkers?: readonly string[] | undefined;
}

/** Declares the tests of every scenario for a browser, in pages and in both kinds of workers, and its TLS tests. */
export function browserSuite(
  name: string,
  launch: Launch,
  { rabbitMq = "3.10.8", inWorkers }: BrowserSuiteOptions = {},
): void {
  let browser: ScriptedBrowser | undefined;

  beforeAll(async () => {
    browser = await launch({});
  });

  afterAll(() => browser?.close());

  const launched = (): ScriptedBrowser => {
    if (browser === undefined) throw new Error(`${name} was not launched`);
    return browser;
  };
  const by = (place: PageContext, published: Published, only?: readonly string[]): Performer => {
    const runtime = `a ${place} in ${name}, with the library ${published}`;
    return { runtime, performance: inBrowser(launched, place, published), only };
  };
  bedSuite(embeddedBed(EMBEDDED_ROUTER, "amqp+ws"), [
    by("page", "in one file"),
    by("Web Worker", "in chunks", inWorkers),
    by("SharedWorker", "in one file", inWorkers),
  ]);
  bedSuite(embeddedBed(EMBEDDED_BROKER, "amqp+ws"), [by("page", "in chunks")]);
  bedSuite(rabbitBed(rabbitMq, "rabbit+ws"), [
    by("page", "in one file"),
    by("Web Worker", "in chunks", BRIEFLY),
    by("SharedWorker", "in one file", BRIEFLY),
  ]);
  authoritySuite(name, launch, launched);
}
