import { expect, test } from "vitest";
import { Outgoing } from "@/src/core/links/outgoing.js";
import { Operations, type SendingConnection } from "@/src/driver/sending/operations.js";
import { SendOperation } from "@/src/driver/sending/send-operation.js";

const NO_CONNECTION = {
  live: undefined,
  host: undefined,
  lastError: undefined,
  connect: () => new Promise<never>(() => {}),
};

const LINK = { name: "link", handle: 0, maxMessageBytes: undefined, pump() {} };

test.each([true, false])("a message leaves the queue as soon as it is sent, settled: %s", (settled) => {
  const operations = new Operations<SendingConnection>(NO_CONNECTION);
  const operation = new SendOperation(operations, {
    operation: "RPC Cast",
    target: "address",
    timeoutMs: undefined,
    defaultMs: 1_000,
    retry: undefined,
    settled,
    signal: undefined,
    bytes: 4,
  });
  const outgoing = new Outgoing(
    LINK,
    new Uint8Array(0),
    settled,
    operation.deadline,
    () => {},
    () => {},
  );
  operation.deadline.beginWait("credit", () => {});
  expect([operations.queue.messages, operations.queue.bytes]).toEqual([1, 4]);
  outgoing.transferred(() => {});
  expect([operations.queue.messages, operations.queue.bytes]).toEqual([0, 0]);
  operation.end();
});

test("a message whose earlier fate is unknown has the outcome unknown, also when its last attempt did not send it", () => {
  const operations = new Operations<SendingConnection>(NO_CONNECTION);
  const operation = new SendOperation(operations, {
    operation: "RPC Cast",
    target: "address",
    timeoutMs: undefined,
    defaultMs: 1_000,
    retry: undefined,
    signal: undefined,
  });
  const unsent = { type: "unsent", error: new Error("not connected") } as const;
  expect([operation.failure(unsent).outcome, operation.isRepeat]).toEqual(["unsent", false]);
  expect(operation.expired("connecting", 1)).toMatchObject({ outcome: "unsent" });
  expect(operation.failure({ type: "unknown", error: new Error("lost") }).outcome).toBe("unknown");
  expect([operation.failure(unsent).outcome, operation.isRepeat]).toEqual(["unknown", true]);
  expect(operation.expired("connecting", 1)).toMatchObject({ outcome: "unknown" });
  operation.end();
});
