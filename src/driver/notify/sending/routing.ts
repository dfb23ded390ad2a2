import { ConfigurationError, NoSuchOptError } from "../../exceptions.js";
import { oneOf } from "../../options/option-types.js";
import { isJsonObject } from "../../values/json.js";
import type { Priority } from "../notification.js";
import { globMatch } from "./glob.js";
import { DRIVERS, type NotificationDriver } from "./notification-message.js";

/** Selects the notifications of a driver: event type and priority must each match a pattern. An omitted list matches all. */
export interface RoutingRules {
  /** Patterns of event types, as in Python's fnmatch: `*`, `?`, `[seq]`, `[!seq]`. */
  readonly accepted_events?: readonly string[] | undefined;
  /** Patterns of priorities, compared in lower case. */
  readonly accepted_priorities?: readonly string[] | undefined;
}

/**
 * Content of the file that oslo's `routing_config` names: rules by group and driver; `null` for no rules. A driver receives a
 * notification once, when at least one group selects it (oslo_messaging/notify/_impl_routing.py).
 */
export type NotificationRouting = Readonly<Record<string, Readonly<Record<string, RoutingRules | null>>>>;

type Accepts = (eventType: string, priority: Priority) => boolean;

/**
 * Predicates by driver that select its notifications. The driver `routing` itself is never included.
 *
 * @throws ConfigurationError for an invalid routing, naming the path: `routing.group.driver.accepted_events`.
 */
export function routesOf(routing: unknown): ReadonlyMap<NotificationDriver, Accepts> {
  const routes = new Map<NotificationDriver, Accepts>();
  for (const [group, drivers] of members("routing", routing)) {
    const path = `routing.${group}`;
    for (const [name, rules] of members(path, drivers)) {
      const driver = oneOf(...DRIVERS).check(`${path}.${name}`, name);
      const accepts = rulesOf(`${path}.${name}`, rules);
      const others = routes.get(driver);
      routes.set(driver, others === undefined ? accepts : (...args) => others(...args) || accepts(...args));
    }
  }
  routes.delete("routing");
  return routes;
}

function rulesOf(path: string, rules: unknown): Accepts {
  if (rules === null) return () => true;
  const { accepted_events, accepted_priorities, ...unknown } = Object.fromEntries(members(path, rules));
  for (const key of Object.keys(unknown)) throw new NoSuchOptError(`${path}.${key}`, "unknown rule");
  const events = matcherOf(`${path}.accepted_events`, accepted_events);
  const priorities = matcherOf(`${path}.accepted_priorities`, accepted_priorities, (pattern) => pattern.toLowerCase());
  return (eventType, priority) => events(eventType) && priorities(priority);
}

function matcherOf(
  path: string,
  patterns: unknown,
  normalize = (pattern: string) => pattern,
): (text: string) => boolean {
  if (patterns === undefined) return () => true;
  const isText = (pattern: unknown): pattern is string => typeof pattern === "string";
  if (!Array.isArray(patterns) || !patterns.every(isText))
    throw new ConfigurationError(path, "must be a list of strings");
  const matchers = patterns.map((pattern) => globMatch(normalize(pattern)));
  return (text) => matchers.some((matches) => matches(text));
}

function members(path: string, value: unknown): [name: string, member: unknown][] {
  if (!isJsonObject(value)) throw new ConfigurationError(path, "must be an object");
  return Object.entries(value);
}
