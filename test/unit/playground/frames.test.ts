import { describe, expect, it } from "vitest";
import { frameSummary } from "@/playground/page/frames/frame-summary.js";
import { fits } from "@/playground/page/notifications/notification-filter.js";

describe("frameSummary", () => {
  it.each([
    ["attach", { role: false, target: { type: "target", address: "a/b" } }, "sender a/b"],
    ["attach", { role: true, source: { type: "source", dynamic: true } }, "receiver of a dynamic address"],
    ["attach", { role: true }, "receiver without an address"],
    [
      "transfer",
      { handle: 1, deliveryId: 2, settled: true, payloadBytes: 3 },
      "handle 1, deliveryId 2, settled true, payloadBytes 3",
    ],
    ["disposition", { first: 1, state: { type: "accepted" } }, "first 1, state accepted"],
    [
      "detach",
      { closed: true, error: { type: "error", condition: "amqp:not-found" } },
      "closed true, error amqp:not-found",
    ],
    ["heartbeat", {}, ""],
    ["unreadable", { reason: "no frame" }, "reason no frame"],
    ["sasl-mechanisms", { saslServerMechanisms: ["PLAIN"] }, 'saslServerMechanisms ["PLAIN"]'],
    [
      "queue.declare",
      { queue: "q", passive: false, durable: true, arguments: { "x-expires": 1 } },
      'queue q, durable true, arguments {"x-expires":1}',
    ],
    ["exchange.declare", { exchange: "e", type: "topic", arguments: {} }, "exchange e, type topic"],
    ["basic.publish", { exchange: "", routingKey: "reply_1", mandatory: true }, "routingKey reply_1, mandatory true"],
    [
      "basic.deliver",
      { consumerTag: "1", deliveryTag: 2, redelivered: false, exchange: "e", routingKey: "k" },
      "exchange e, routingKey k, consumerTag 1, deliveryTag 2",
    ],
    ["basic.ack", { deliveryTag: 3, multiple: false }, "deliveryTag 3"],
    [
      "connection.close",
      { replyCode: 320, replyText: "CONNECTION_FORCED" },
      "replyCode 320, replyText CONNECTION_FORCED",
    ],
    ["content-body", { payloadBytes: 5 }, "payloadBytes 5"],
    ["channel.open", {}, ""],
  ])("the summary of the frame %s %j is %j", (performative, fields, summary) => {
    expect(frameSummary({ direction: "in", channel: 0, performative, fields, bytes: 8 })).toBe(summary);
  });
});

describe("fits", () => {
  it.each([
    ["", true],
    ["instance", true],
    ["Instance.CREATE", true],
    ["compute.*", true],
    ["*.create", false],
    ["compute.*.end", true],
    ["create.*", false],
    ["c.mpute*", false],
  ])("the event type pattern %j matches compute.instance.create.end: %s", (pattern, passes) => {
    expect(fits("compute.instance.create.end", pattern)).toBe(passes);
  });
});
