import { execFile } from "node:child_process";
import { describe, expect, it } from "vitest";
import { type Finished, RunningIntermediary } from "@/test/fixtures/processes/command.js";
import { ROOT } from "@/test/fixtures/project.js";

/** Two of the suites: they reach the intermediaries, use them, and skip a test. */
const SUITES = ["test/suites/addressing.test.ts", "test/suites/rpc-server.test.ts"];

describe("npm run test:intermediary", { timeout: 120_000 }, () => {
  it("test:intermediary tests each intermediary of the variable, and skips tests of missing abilities with the reason", {
    tags: ["intermediary:foreign"],
  }, async () => {
    await using router = await RunningIntermediary.start("--kind", "router");
    await using broker = await RunningIntermediary.start("--kind", "broker");
    const urls = `amqp://${router.tcp}/ amqp+ws://${broker.ws}/?addressing_mode=legacy`;
    const { status, stdout, stderr } = await testIntermediary(urls, ...SUITES, "--no-color");
    expect(stderr).toBe("");
    expect(status).toBe(0);
    for (const name of [
      `amqp, oslo-messaging-router at ${router.tcp}`,
      `amqp+ws, oslo-messaging-broker at ${broker.ws}`,
    ]) {
      expect(stdout).toMatch(`✓ ${SUITES[0]} > Addresses > of the default form over ${name} > default addresses`);
      expect(stdout).toMatch(`✓ ${SUITES[1]} > An RPC server over ${name} > a stopped RPC server`);
      expect(stdout).toMatch(`↓ ${SUITES[0]} > Addresses > with other prefixes over ${name} > addresses have`);
    }
    const skipped = stdout.split("\n").filter((line) => line.includes(" ↓ "));
    expect(skipped).toHaveLength(2);
    for (const line of skipped)
      expect(line).toContain("the intermediary knows the addresses that it is configured for");
  });

  it.each([
    ["the variable is not set", "", /OSLO_MESSAGING_TEST_URL is not set: it has the transport URLs to test against/],
    [
      "the port is closed",
      "amqp://user:secret@127.0.0.1:1/",
      /OSLO_MESSAGING_TEST_URL: 127\.0\.0\.1:1 cannot be used: cannot connect .* connection refused/,
    ],
    ["the variable contains no URL", "nonsense", /No scheme specified: nonsense/],
  ])("test:intermediary fails with the reason when %s", async (_what, urls, told) => {
    const { status, stdout, stderr } = await testIntermediary(urls);
    expect(status).toBe(1);
    expect(stderr).toMatch(told);
    expect(stdout + stderr).not.toContain("secret");
  });
});

function testIntermediary(urls: string, ...args: readonly string[]): Promise<Finished> {
  const env = { ...process.env, OSLO_MESSAGING_TEST_URL: urls };
  const command = ["run", "--silent", "test:intermediary", "--", ...args];
  return new Promise((resolve) => {
    const child = execFile("npm", command, { cwd: ROOT, env, timeout: 110_000 }, (_error, stdout, stderr) => {
      resolve({ status: child.exitCode ?? undefined, stdout, stderr });
    });
  });
}
