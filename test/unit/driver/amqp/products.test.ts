import { expect, it } from "vitest";
import { productOf } from "@/src/driver/amqp/products.js";

it.each([
  ["qpid-dispatch-router", "router", "routable"],
  ["skupper-router", "router", "routable"],
  ["oslo-messaging-router", "router", "routable"],
  ["oslo-messaging-broker", "broker", "routable"],
  ["qpid-cpp", "broker", "legacy"],
  ["Apache Qpid Broker-J Core", "broker", "legacy"],
  ["apache-activemq-artemis", "broker", "routable"],
  ["something new", "unknown", "routable"],
  ["", "unknown", "routable"],
  ["constructor", "unknown", "routable"],
  [undefined, "unknown", "legacy"],
])(
  "the product %s is a %s with %s addresses",
  { tags: ["addressing:dynamic", "notify:router"] },
  (name, kind, addressing) => {
    expect(productOf(name)).toMatchObject({ kind, addressing });
  },
);

it("capabilities for queues and topics are requested from Artemis only", () => {
  expect(productOf("apache-activemq-artemis").capabilities).toEqual({ unicast: ["queue"], multicast: ["topic"] });
  expect(productOf("qpid-dispatch-router").capabilities).toEqual({ unicast: [], multicast: [] });
});
