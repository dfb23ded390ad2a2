import { relative } from "node:path";
import { expect, test, vi } from "vitest";
import { PendingReply } from "@/src/driver/sending/pending-reply.js";
import { callRequest, driverBed, REPLIES } from "@/test/fixtures/peers/driver-peer.js";
import { projectPath } from "@/test/fixtures/project.js";

/** The files on the stack, the socket's first, without the transport that calls the connection. */
function filesOnStack(): string[] {
  const lines = (new Error("stack").stack ?? "").split("\n");
  const files = lines.flatMap((line) => /(?:\(|at )(?:file:\/\/)?(\/[^:)]+):\d+:\d+\)?$/.exec(line)?.[1] ?? []);
  return files
    .map((file) => relative(projectPath("src"), file))
    .filter((file) => !file.startsWith("..") && !file.startsWith("transports/"))
    .reverse();
}

test("a reply passes eight functions between the socket and the promise of its call", async () => {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 100;
  const settle = vi.spyOn(PendingReply.prototype, "settle");
  let files: string[] = [];
  settle.mockImplementation(function (this: PendingReply<unknown>, reply) {
    files = filesOnStack();
    settle.mockRestore();
    this.settle(reply);
  });
  try {
    const { driver, peer } = driverBed();
    const calling = driver.call(callRequest());
    await peer.answer("answered", await peer.link(REPLIES, "sender"));
    expect(await calling).toBe("answered");
  } finally {
    Error.stackTraceLimit = limit;
    settle.mockRestore();
  }
  // PendingReply.settle itself is the eighth: the spy stands in its place.
  expect(files).toEqual([
    "core/connection/connection.ts",
    "core/frames/splitter.ts",
    "core/connection/inbound.ts",
    "core/links/session.ts",
    "core/links/receiver.ts",
    "core/links/receiver.ts",
    "driver/amqp/replies.ts",
  ]);
});
