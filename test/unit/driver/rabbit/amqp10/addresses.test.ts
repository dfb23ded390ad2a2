import { describe, expect, it } from "vitest";
import { exchangeAddress, queueAddress, routeAddress } from "@/src/driver/rabbit/amqp10/addresses.js";

describe("addresses of RabbitMQ 4", () => {
  it.each([
    ["openstack", "topic.server", "/exchanges/openstack/topic.server"],
    ["topic_fanout", "", "/exchanges/topic_fanout"],
    ["", "reply_1", "/queues/reply_1"],
    ["a/b", "c d", "/exchanges/a%2Fb/c%20d"],
    ["x", "é%!'()*~", "/exchanges/x/%C3%A9%25%21%27%28%29%2A~"],
    ["x", "\ud800", "/exchanges/x/%EF%BF%BD"],
  ])("exchange %j with the key %j", (exchange, routingKey, address) => {
    expect(routeAddress(exchange, routingKey)).toBe(address);
  });

  it("of an exchange and a queue are their paths in the management", () => {
    expect([exchangeAddress("a b"), queueAddress("c/d")]).toEqual(["/exchanges/a%20b", "/queues/c%2Fd"]);
  });
});
