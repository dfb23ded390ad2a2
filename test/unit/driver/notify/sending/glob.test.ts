import { describe, expect, it } from "vitest";
import { globMatch } from "@/src/driver/notify/sending/glob.js";
import { cases } from "@/test/data/python-globs.json";

describe("a pattern of Python's fnmatch", () => {
  it.each(cases)(
    "the fnmatch pattern $pattern matches the same texts as in Python",
    { tags: ["notify:drivers"] },
    ({ pattern, matches, others }) => {
      expect([...matches, ...others].filter(globMatch(pattern))).toEqual(matches);
    },
  );
});
