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
