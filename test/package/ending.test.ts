import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { closedPort, tcp } from "@/test/fixtures/peers/bad-peers.js";
import { ROOT } from "@/test/fixtures/project.js";

/** Each attempt fails, and nothing is closed. */
const PROGRAM = `
import { getRpcClient, getRpcServer, getRpcTransport } from "oslo-messaging";

const [, closed, silent] = process.argv;
const limits = { timeoutMs: 200 };
const connect = (url, options) => getRpcTransport(url).connect(options);
const start = (url) => getRpcServer(getRpcTransport(url), { topic: "t", server: "s" }, [{}]).start(limits);
const attempts = [
  connect(closed),
  getRpcTransport(closed).probe(),
  connect(closed, { ...limits, keepTrying: true }),
  start(closed),
  getRpcClient(getRpcTransport(closed), { topic: "t" }).call({}, "m", {}, limits),
  connect(silent, limits),
  start(silent),
];
for (const { reason } of await Promise.allSettled(attempts)) console.log(reason.name);
`;

it("a Node process whose attempts to connect have failed ends by itself", {
  tags: ["connect:idle"],
  timeout: 60_000,
}, async () => {
  await using closed = await closedPort();
  await using silent = await tcp(() => {});
  const urls = [closed, silent].map(({ host, port }) => `amqp://${host}:${port}/`);
  const options = { cwd: ROOT, timeout: 30_000 };
  const command = ["--input-type=module", "--eval", PROGRAM, ...urls];
  const { stdout } = await promisify(execFile)(process.execPath, command, options);
  const timeout = "MessagingTimeout";
  expect(stdout.split("\n")).toEqual(["Error", "Error", timeout, timeout, timeout, timeout, timeout, ""]);
});
