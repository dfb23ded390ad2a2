import { ConfigurationError, NoSuchOptError } from "../../exceptions.js";
import { oneOf } from "../../options/option-types.js";
import { isJsonObject } from "../../values/json.js";
import type { Priority } from "../notification.js";
import { globMatch } from "./glob.js";
import { DRIVERS, type NotificationDriver } from "./notification-message.js";

/** Which notifications a driver gets: those of which both event type and priority match one pattern of their list. No list: all. */
export interface RoutingRules {
  /** Patterns as Python's fnmatch has them: `*`, `?`, `[seq]`, `[!seq]`. */
  readonly accepted_events?: readonly string[] | undefined;
  /** Patterns as well, of priorities in lower case. */
  readonly accepted_priorities?: readonly string[] | undefined;
}

/**
 * What stands in the file that oslo's `routing_config` names: by group and driver the rules, `null` for none. A driver gets
 * a notification once, when one of the groups has it for the driver (oslo_messaging/notify/_impl_routing.py).
 */
export type NotificationRouting = Readonly<Record<string, Readonly<Record<string, RoutingRules | null>>>>;

type Accepts = (eventType: string, priority: Priority) => boolean;

/**
 * By driver: whether it gets a notification. Never has `routing` itself for one.
 *
 * @throws ConfigurationError for what is no routing, by its path: `routing.group.driver.accepted_events`.
 */
export function routesOf(routing: unknown): ReadonlyMap<NotificationDriver, Accepts> {
  const routes = new Map<NotificationDriver, Accepts>();
  for (const [group, drivers] of members("routing", routing)) {
    const path = `routing.${group}`;
    for (const [name, rules] of members(path, drivers)) {
      const driver = oneOf(...DRIVERS).check(`${path}.${name}`, name);
      const accepts = rulesOf(`${path}.${name}`, rules);
      const others = routes.get(driver);
      routes.set(driver, others === undefined ? accepts : (...of) => others(...of) || accepts(...of));
    }
  }
  routes.delete("routing");
  return routes;
}

function rulesOf(path: string, rules: unknown): Accepts {
  if (rules === null) return () => true;
  const { accepted_events, accepted_priorities, ...unknown } = Object.fromEntries(members(path, rules));
  for (const key of Object.keys(unknown)) throw new NoSuchOptError(`${path}.${key}`, "there is no such rule");
  const events = matcherOf(`${path}.accepted_events`, accepted_events);
  const priorities = matcherOf(`${path}.accepted_priorities`, accepted_priorities, (pattern) => pattern.toLowerCase());
  return (eventType, priority) => events(eventType) && priorities(priority);
}

function matcherOf(path: string, patterns: unknown, form = (pattern: string) => pattern): (text: string) => boolean {
  if (patterns === undefined) return () => true;
  const isText = (pattern: unknown): pattern is string => typeof pattern === "string";
  if (!Array.isArray(patterns) || !patterns.every(isText))
    throw new ConfigurationError(path, "must be a list of strings");
  const matchers = patterns.map((pattern) => globMatch(form(pattern)));
  return (text) => matchers.some((matches) => matches(text));
}

function members(path: string, value: unknown): [name: string, member: unknown][] {
  if (!isJsonObject(value)) throw new ConfigurationError(path, "must be an object");
  return Object.entries(value);
}
