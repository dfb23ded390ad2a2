import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Bus, type BusPlan, EMBEDDED_BROKER, EMBEDDED_ROUTER } from "@/test/fixtures/beds/bus-plan.js";
import type { HostScheme } from "@/test/fixtures/beds/restartable-host.js";
import type { Environment, Report } from "@/test/fixtures/runtimes/scenario.js";
import { TestHelperService } from "@/test/fixtures/runtimes/test-helper-service.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { scenariosBy } from "./scenarios/scenarios.js";

/**
 * Has a runtime perform all scenarios in a setting. Resolves when it is done, and rejects when it cannot go on, with what it said.
 */
export type Performance = (setting: Environment, tell: (report: Report) => void) => Promise<void>;

/** Declares the tests of every scenario for a runtime, over the embedded router and broker, with Python on the TCP side. */
export function runtimeSuite(runtime: string, scheme: HostScheme, performance: Performance): void {
  for (const plan of [EMBEDDED_ROUTER, EMBEDDED_BROKER]) busSuite(plan, scheme, [{ runtime, performance }]);
}

/** Who performs. */
export interface Performer {
  /** For titles. */
  readonly runtime: string;
  readonly performance: Performance;
  /** See Setting. */
  readonly only?: readonly string[] | undefined;
}

/** The same for several, one after the other, over one message bus: Python takes its time to start. */
export function busSuite(plan: BusPlan, scheme: HostScheme, performers: readonly Performer[]): void {
  describe(`by ${scheme}, through ${plan.name}`, () => {
    let bus: Bus;
    let hand: TestHelperService | undefined;
    let setting: Environment;

    beforeAll(async () => {
      bus = await plan.start();
      ({ hand, setting } = await TestHelperService.start(bus, plan, scheme));
    });

    afterAll(async () => {
      await hand?.[Symbol.asyncDispose]();
      await bus?.close();
    });

    for (const { runtime, performance, only } of performers) {
      describe(runtime, () => {
        const reports = new Inbox<Report>(runtime);
        let performed: Promise<void> | undefined;

        beforeAll(() => {
          performed = performance({ ...setting, only }, (report) => reports.put(report));
          performed.then(
            () => reports.end(new Error("it is done")),
            (error: Error) => reports.end(error),
          );
        });

        // A runtime that fails after its last report has failed, too.
        afterAll(() => performed, 90_000);

        for (const { name } of scenariosBy(scheme, only)) {
          test(name, { timeout: 60_000 }, async () => {
            const isIt = (report: Report): Report | undefined => (report.name === name ? report : undefined);
            const { failure } = await reports.take(`"${name}"`, isIt, 55_000);
            expect(failure).toBeUndefined();
          });
        }
      });
    }
  });
}
