import { defineConfig } from "vitest/config";
import { TAGS } from "./test/requirements/index.js";
import { LIMITS, resolve, suites, UNIT } from "./vitest.config.js";

/** The files that need neither Artemis nor RabbitMQ. */
const QUICK = suites((text) => !/inject\("artemis"\)|\bARTEMIS_/.test(text)).filter(
  (path) => !path.endsWith("-rabbit.test.ts"),
);

/** The unit tests, and the suites over one embedded bed each, without those that need a broker: `npm run test:quick`. */
export default defineConfig({
  test: {
    tags: TAGS,
    maxWorkers: 2,
    projects: [
      UNIT,
      {
        resolve,
        test: {
          name: "suites",
          include: QUICK,
          provide: { onlyOneBed: true },
          ...LIMITS,
        },
      },
    ],
  },
});
