import { describe, expect, it } from "vitest";
import { ConfigurationError } from "@/src/driver/exceptions.js";
import type { Priority } from "@/src/driver/notify/notification.js";
import { type NotificationRouting, routesOf } from "@/src/driver/notify/sending/routing.js";

/** The drivers that receive a notification. */
function driversFor(routing: NotificationRouting, eventType: string, priority: Priority = "info"): string[] {
  return [...routesOf(routing)].filter(([, accepts]) => accepts(eventType, priority)).map(([driver]) => driver);
}

describe("routing rules", () => {
  it("a driver receives notifications that match both its events and its priorities", {
    tags: ["notify:drivers"],
  }, () => {
    const rules = { accepted_events: ["compute.*", "network.port.?"], accepted_priorities: ["WARN", "err*"] };
    const routing = { group: { log: rules } };
    const accepted = [
      ["compute.instance", "warn"],
      ["network.port.1", "error"],
      ["compute.instance", "info"],
      ["network.port.12", "warn"],
      ["Compute.instance", "warn"],
    ] as const;
    expect(accepted.map(([event, priority]) => driversFor(routing, event, priority).length)).toEqual([1, 1, 0, 0, 0]);
  });

  it("a driver receives everything without rules, and nothing with an empty list", () => {
    const routing = { group: { messaging: {}, messagingv2: null, log: { accepted_events: [] } } };
    expect(driversFor(routing, "e")).toEqual(["messaging", "messagingv2"]);
  });

  it("a driver receives a notification once when any group selects it", { tags: ["notify:drivers"] }, () => {
    const routing = {
      one: { log: { accepted_events: ["a*"] }, noop: { accepted_priorities: ["error"] } },
      two: { log: { accepted_events: ["*b"] } },
    };
    expect(["a", "b", "ab", "c"].map((event) => driversFor(routing, event))).toEqual([["log"], ["log"], ["log"], []]);
    expect(driversFor(routing, "ab", "error")).toEqual(["log", "noop"]);
  });

  it("a routing never selects the driver routing, and may be empty", () => {
    expect(driversFor({ group: { routing: {} } }, "e")).toEqual([]);
    expect(driversFor({}, "e")).toEqual([]);
  });

  it.each([
    ["text", "routing"],
    [null, "routing"],
    [{ group: null }, "routing.group"],
    [{ group: [] }, "routing.group"],
    [{ group: { kafka: {} } }, "routing.group.kafka"],
    [{ group: { constructor: {} } }, "routing.group.constructor"],
    [{ group: { log: ["compute.*"] } }, "routing.group.log"],
    [{ group: { log: { accepted_event: ["*"] } } }, "routing.group.log.accepted_event"],
    [{ group: { log: { accepted_events: "compute.*" } } }, "routing.group.log.accepted_events"],
    [{ group: { log: { accepted_priorities: [5] } } }, "routing.group.log.accepted_priorities"],
    [{ group: { log: { accepted_events: null } } }, "routing.group.log.accepted_events"],
  ])("the routing %j throws an error that names %s", (routing, key) => {
    expect(() => routesOf(routing)).toThrow(ConfigurationError);
    expect(() => routesOf(routing)).toThrow(expect.objectContaining({ key }));
  });
});
