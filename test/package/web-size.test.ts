import { expect, it, describe as suite } from "vitest";
import { accepted, check, describe, describeRpcOnly, measure } from "@/scripts/web-size.mjs";

const code = "x".repeat(1000);
const before = measure("web.min.js", code, {
  "../main/node_modules/rhea/lib/link.js": { bytesInOutput: 400 },
  "src/core/links/link.ts": { bytesInOutput: 300 },
  "src/driver/rpc/client.ts": { bytesInOutput: 200 },
  "src/driver/dead.ts": { bytesInOutput: 0 },
});

suite("the budgets of the minified files", () => {
  it("the budget is the accepted size rounded up to half a kilobyte", () => {
    expect(accepted({ ...before, gzip: 60_001 }).budget).toBe(60_500);
    expect(accepted({ ...before, gzip: 60_500 }).budget).toBe(60_500);
  });

  it("a size within the budget passes, whichever modules grew", () => {
    const { budget, ...size } = accepted(before);
    expect(() =>
      check({ ...size, gzip: budget, modules: { "src/core/new.ts": 9 } }, { budget, ...size }),
    ).not.toThrow();
  });

  it("a size over the budget fails with the modules that grew or are new, largest growth first", () => {
    const known = accepted(before);
    const modules = {
      ...known.modules,
      "src/core/links/link.ts": 310,
      "src/core/new.ts": 50,
      "src/driver/rpc/client.ts": 100,
    };
    const size = { file: "web.min.js", minified: 2000, gzip: known.budget + 1, modules };
    expect(() => check(size, known)).toThrow(
      `dist/web.min.js is ${known.budget + 1} bytes compressed, over its budget of ${known.budget}; ` +
        `it was ${known.gzip} when last accepted. Modules that grew, minified:\n` +
        "  src/core/new.ts: 50 bytes, 50 more\n" +
        "  src/core/links/link.ts: 310 bytes, 10 more\n" +
        "To accept the size: npm run accept-size",
    );
  });

  it("the report has the goal, if there is one, until it is reached, and the sizes by room", () => {
    const over = { ...accepted(before), budget: 60_500, gzip: 60_100 };
    expect(describe(over, over).split("\n")).toEqual([
      "dist/web.min.js: 1.0 kB, gzip: 60.1 kB (budget 60.5 kB, the goal is 40.0 kB)",
      "  by room: rhea 0.4 kB, core/links 0.3 kB, driver/rpc 0.2 kB",
    ]);
    expect(describe(over, { ...over, budget: 40_000 })).toContain("(budget 40.0 kB)");
    expect(describe({ ...over, file: "rabbit.min.js" }, over)).toMatch(
      /^dist\/rabbit\.min\.js: .*\(budget 60\.5 kB\)\n/,
    );
  });

  it("the report has the size of a page with an RPC client only", () => {
    expect(describeRpcOnly(50_000)).toBe("a page that imports getRpcTransport and getRpcClient only: gzip 50.0 kB");
  });
});
