import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EMBEDDED_BROKER, EMBEDDED_ROUTER } from "@/test/fixtures/beds/bus-plan.js";
import type { HostScheme } from "@/test/fixtures/beds/restartable-host.js";
import { embeddedBed } from "@/test/fixtures/runtimes/embedded-bed.js";
import type { RuntimePlan } from "@/test/fixtures/runtimes/runtime-bed.js";
import type { Environment, Report } from "@/test/fixtures/runtimes/scenario.js";
import { TestHelperService } from "@/test/fixtures/runtimes/test-helper-service.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { scenariosFor } from "./scenarios/scenarios.js";

/**
 * Runs all scenarios in a runtime and reports each. Rejects with the runtime's output when it fails.
 */
export type Performance = (setting: Environment, tell: (report: Report) => void) => Promise<void>;

/** Declares the tests of every scenario for some runtimes, over the embedded router and broker, with Python on the TCP side. */
export function runtimeSuite(scheme: HostScheme, performers: readonly Performer[]): void {
  for (const plan of [EMBEDDED_ROUTER, EMBEDDED_BROKER]) bedSuite(embeddedBed(plan, scheme), performers);
}

/** A runtime that runs the scenarios. */
export interface Performer {
  /** For titles. */
  readonly runtime: string;
  readonly performance: Performance;
  /** See Environment. */
  readonly only?: readonly string[] | undefined;
}

/** Declares the tests for one bed. The runtimes share it, one after the other: Python's peers start once. */
export function bedSuite(plan: RuntimePlan, performers: readonly Performer[]): void {
  const { scheme, protocol } = plan;
  describe(`by ${scheme}, through ${plan.name}`, () => {
    let hand: TestHelperService | undefined;
    let setting: Environment;

    beforeAll(async () => {
      ({ hand, setting } = await TestHelperService.start(plan));
    });

    afterAll(() => hand?.[Symbol.asyncDispose]());

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

        // A runtime that fails after its last report fails the suite.
        afterAll(() => performed, 90_000);

        for (const { name } of scenariosFor({ scheme, protocol, only })) {
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
