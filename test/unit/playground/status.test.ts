import { describe, expect, it } from "vitest";
import { StatusLine } from "@/playground/page/connection/status-line.js";
import type { TransportStatus } from "@/src/entry/node.js";

const HOST = "localhost:5673";

describe("StatusLine", () => {
  it("a status line keeps the error during retries, and removes it when the transport is connected", async () => {
    const texts = await linesOf(
      { type: "connecting", host: HOST, attempt: 1 },
      { type: "disconnected", host: HOST, error: new Error("connection refused"), retryInMs: 1_500 },
      { type: "connecting", host: HOST, attempt: 2 },
      { type: "connected", host: HOST, product: "router" },
    );
    expect(texts).toEqual([
      `connecting to ${HOST}, attempt 1`,
      `disconnected from ${HOST}, retrying in 1.5 s: connection refused`,
      `connecting to ${HOST}, attempt 2: connection refused`,
      `connected to ${HOST}, router`,
    ]);
  });

  it("a status line shows why there is no transport", () => {
    const line = { dataset: {}, textContent: "" };
    new StatusLine(line).refuse(new TypeError("no URL"));
    expect(line).toEqual({ dataset: { state: "refused" }, textContent: "TypeError: no URL" });
    new StatusLine(line).refuse(new Error("Type a URL"));
    expect(line.textContent).toBe("Type a URL");
  });
});

/** Returns the text that the line shows after each status. */
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
