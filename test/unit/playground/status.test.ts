import { describe, expect, it } from "vitest";
import { StatusLine } from "@/playground/page/connection/status-line.js";
import type { TransportStatus } from "@/src/entry/node.js";

const HOST = "localhost:5673";

describe("a line of the playground about a connection", () => {
  it("keeps what went wrong while it tries again, and forgets it once it is connected", async () => {
    const texts = await linesOf(
      { type: "connecting", host: HOST, attempt: 1 },
      { type: "disconnected", host: HOST, error: new Error("nobody listens"), retryInMs: 1_500 },
      { type: "connecting", host: HOST, attempt: 2 },
      { type: "connected", host: HOST, product: "router" },
    );
    expect(texts).toEqual([
      `connecting to ${HOST}, attempt 1`,
      `disconnected from ${HOST}, again in 1.5 s: nobody listens`,
      `connecting to ${HOST}, attempt 2: nobody listens`,
      `connected to ${HOST}, router`,
    ]);
  });

  it("says why there is no connection at all", () => {
    const line = { dataset: {}, textContent: "" };
    new StatusLine(line).refuse(new TypeError("no URL"));
    expect(line).toEqual({ dataset: { state: "refused" }, textContent: "TypeError: no URL" });
    new StatusLine(line).refuse(new Error("Type a URL"));
    expect(line.textContent).toBe("Type a URL");
  });
});

/** What it shows, status by status. */
async function linesOf(...statuses: readonly TransportStatus[]): Promise<readonly string[]> {
  const line = { dataset: {}, textContent: "" };
  const texts: string[] = [];
  await new StatusLine(line).follow({
    async *status() {
      for (const status of statuses) {
        yield status;
        texts.push(line.textContent);
      }
    },
  });
  return texts;
}
