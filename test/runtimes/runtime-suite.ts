import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HostScheme } from "../suites/host.js";
import { type Bus, EMBEDDED_BROKER, EMBEDDED_ROUTER } from "../support/bus.js";
import { Inbox } from "../support/inbox.js";
import type { Report, Setting } from "./scenario.js";
import { scenariosBy } from "./scenarios/scenarios.js";
import { StageHand } from "./stage-hand.js";

/**
 * Has a runtime perform all scenarios in a setting. Resolves when it is done, and rejects when it cannot go on, with what it said.
 */
export type Performance = (setting: Setting, tell: (report: Report) => void) => Promise<void>;

/** Declares the tests of every scenario for a runtime, over the embedded router and broker, with Python on the TCP side. */
export function runtimeSuite(runtime: string, scheme: HostScheme, performance: Performance): void {
  for (const plan of [EMBEDDED_ROUTER, EMBEDDED_BROKER]) {
    describe(`${runtime}, by ${scheme}, through ${plan.name}`, () => {
      const reports = new Inbox<Report>(runtime);
      let bus: Bus;
      let hand: StageHand | undefined;

      beforeAll(async () => {
        bus = await plan.start();
        const started = await StageHand.start(bus, plan, scheme);
        hand = started.hand;
        performance(started.setting, (report) => reports.put(report)).then(
          () => reports.end(new Error("it is done")),
          (error: Error) => reports.end(error),
        );
      });

      afterAll(async () => {
        await hand?.[Symbol.asyncDispose]();
        await bus?.close();
      });

      for (const { name } of scenariosBy(scheme)) {
        test(name, { timeout: 60_000 }, async () => {
          const isIt = (report: Report): Report | undefined => (report.name === name ? report : undefined);
          const { failure } = await reports.take(`"${name}"`, isIt, 55_000);
          if (failure !== undefined) expect.fail(failure);
        });
      }
    });
  }
}
