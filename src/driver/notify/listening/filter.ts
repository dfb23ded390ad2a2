import { ConfigurationError, NoSuchOptError } from "../../exceptions.js";
import { isJsonObject } from "../../values/json.js";
import type { Notification, NotificationMetadata } from "../notification.js";
import { pythonMatch } from "./python-regexp.js";

/** Regular expressions in Python's syntax, matched at the start of the text as `re.match` does. */
export interface NotificationFilterRule {
  /** Who told. */
  publisherId?: string | undefined;
  /** What happened. */
  eventType?: string | undefined;
  /** By the member's name. */
  context?: Readonly<Record<string, string>> | undefined;
  /** By the member's name: `messageId`, `timestamp`. */
  metadata?: Readonly<Record<string, string>> | undefined;
  /** By the member's name. */
  payload?: Readonly<Record<string, string>> | undefined;
}

/**
 * Chooses the notifications that an endpoint gets: those that match every part of the rule. A member that is absent, or
 * not a string, does not match (oslo_messaging/notify/filter.py).
 *
 * @example
 * ```ts
 * const endpoint = { filterRule: new NotificationFilter({ eventType: "compute\\.instance\\..*" }), info() {} };
 * ```
 * @throws ConfigurationError for an expression that cannot be used, NoSuchOptError for a part that does not exist.
 */
export class NotificationFilter {
  readonly #checks: readonly ((notification: Notification) => boolean)[];

  constructor(rule: NotificationFilterRule) {
    const { publisherId, eventType, context, metadata, payload, ...unknown } = rule;
    for (const key of Object.keys(unknown)) throw new NoSuchOptError(key, "no such part of a notification filter");
    for (const key of Object.keys(metadata ?? {}).filter((name) => !METADATA.has(name))) {
      throw new NoSuchOptError(`metadata.${key}`, `would match nothing: there is ${[...METADATA].join(" and ")}`);
    }
    this.#checks = [
      ...textCheck("publisherId", publisherId, (notification) => notification.publisherId),
      ...textCheck("eventType", eventType, (notification) => notification.eventType),
      ...memberChecks("context", context, (notification) => notification.context),
      ...memberChecks("metadata", metadata, (notification) => notification.metadata),
      ...memberChecks("payload", payload, (notification) => notification.payload),
    ];
  }

  /** Whether every part of the rule matches. */
  matches(notification: Notification): boolean {
    return this.#checks.every((check) => check(notification));
  }
}

/** All that there is of it. Rules from Python say `message_id`. */
const METADATA: ReadonlySet<string> = new Set<keyof NotificationMetadata>(["messageId", "timestamp"]);

type Check = (notification: Notification) => boolean;

/** None for a part that the rule does not have. */
function textCheck(key: string, pattern: unknown, read: (notification: Notification) => unknown): Check[] {
  if (pattern === undefined) return [];
  if (typeof pattern !== "string") throw new ConfigurationError(key, "must be a regular expression as a string");
  const match = compile(key, pattern);
  return [
    (notification) => {
      const value = read(notification);
      return typeof value === "string" && match(value);
    },
  ];
}

function memberChecks(key: string, patterns: unknown, read: (notification: Notification) => unknown): Check[] {
  if (patterns === undefined) return [];
  if (!isJsonObject(patterns)) throw new ConfigurationError(key, "must be an object of regular expressions");
  return Object.entries(patterns).flatMap(([name, pattern]) => {
    return textCheck(`${key}.${name}`, pattern, (notification) => ownMember(read(notification), name));
  });
}

function ownMember(value: unknown, name: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function compile(key: string, pattern: string): (text: string) => boolean {
  try {
    return pythonMatch(pattern);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ConfigurationError(key, `${JSON.stringify(pattern)} cannot be used: ${error.message}`);
  }
}
