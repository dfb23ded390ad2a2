import { defineConfig } from "vitest/config";
import { TAGS } from "./test/requirements/index.js";
import { LIMITS, resolve, suites, UNIT } from "./vitest.config.js";

/** The unit tests, and the suites over one embedded bed each, without those that need Artemis: `npm run test:quick`. */
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
          include: suites((text) => !/inject\("artemis"\)|\bARTEMIS_/.test(text)),
          provide: { onlyOneBed: true },
          ...LIMITS,
        },
      },
    ],
  },
});
