import { describe, expect, test } from "vitest";
import { walkThrough } from "@/playground/walk-through.js";
import { EMBEDDED_ROUTER } from "@/test/fixtures/beds/bus-plan.js";
import { playground } from "@/test/fixtures/browsers/running-playground.js";

describe("the playground without a browser", () => {
  test("npm start -- --once runs the main scenario, prints each step with its duration, and exits with 0", async () => {
    await using child = playground("playground/serve.ts", "--once");
    const steps = [
      ["connect", '"oslo-messaging-router"'],
      ["listen", ""],
      ["call", '"hello"'],
      ["call", "42"],
      ["cast", '"note":"cast"'],
      ["fanout", '"server":"node-2"'],
      ["direct call", '"server":"node-2"'],
      ["remote error", "PeerError: custom trouble"],
      ["notification", '{"ok":true}'],
      ["end", ""],
    ] as const;
    for (const [name, result] of steps) {
      const line = await child.waitFor(`the step ${name}`, (line) => line);
      expect(line).toMatch(new RegExp(`^ +\\d+\\.\\d ms  ${name} `));
      expect(line).toContain(result);
    }
    expect(await child.exited).toBe(0);
  });

  test("the main scenario stops at the first failed step and names it", async () => {
    await using bus = await EMBEDDED_ROUTER.start(); // with no servers
    const lines: string[] = [];
    const walk = walkThrough(bus.url("amqp+ws"), (line) => lines.push(line));
    await expect(walk).rejects.toThrow(/^call \(demo\.echo\): .*timed out \(phase credit/);
    expect(lines).toEqual([expect.stringContaining("connect"), expect.stringContaining("listen")]);
  });

  test("npm start with an unknown argument prints the usage and exits with 64", async () => {
    await using child = playground("playground/serve.ts", "--twice");
    expect(await child.exited).toBe(64);
    expect(child.stderr).toContain("--once");
  });
});
