import type { Log } from "../../../core/recurring-warnings.js";
import type { Driver } from "../../driver.js";
import { ConfigurationError } from "../../exceptions.js";
import { logDriver } from "./log-driver.js";
import { messagingDriver } from "./messaging-driver.js";
import type { NotificationDriver, NotificationSender } from "./notification-message.js";
import { type NotificationRouting, routesOf } from "./routing.js";
import type { TestDriver } from "./test-driver.js";

/** Everything that drivers need. */
export interface DriversInit {
  transport: Log & { readonly driver: Driver };
  topics: readonly string[];
  testDriver: TestDriver | undefined;
  routing: NotificationRouting | undefined;
}

/**
 * The function that sends notifications by a driver.
 *
 * @throws ConfigurationError naming the option that the driver requires, when it is omitted.
 */
export function senderFor(name: NotificationDriver, init: DriversInit): NotificationSender {
  const { transport, topics, testDriver, routing } = init;
  const { driver } = transport;
  switch (name) {
    case "messaging":
      return messagingDriver(driver, topics, false);
    case "messagingv2":
      return messagingDriver(driver, topics, true);
    case "log":
      return logDriver(transport);
    case "noop":
      return () => [];
    case "test":
      if (testDriver === undefined) throw new ConfigurationError("testDriver", "is required by the driver test");
      return testDriver.send;
    case "routing":
      if (routing === undefined) throw new ConfigurationError("routing", "is required by the driver routing");
      return routingDriver(routing, init);
    default:
      return name satisfies never;
  }
}

/** Sends a notification by each driver that the routing selects for it. */
function routingDriver(routing: NotificationRouting, init: DriversInit): NotificationSender {
  const routes = [...routesOf(routing)].map(([name, accepts]) => ({ name, accepts, send: senderFor(name, init) }));
  return (outgoing) => {
    const { event_type: eventType } = outgoing.message;
    const accepting = routes.filter(({ accepts }) => accepts(eventType, outgoing.priority));
    for (const { name } of accepting) {
      init.transport.logger.debug("routing a notification", { eventType, driver: name });
    }
    return accepting.flatMap(({ send }) => send(outgoing));
  };
}
