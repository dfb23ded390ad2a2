import { isRecord, kindOf } from "../../../core/kinds.js";
import { similarName } from "../../../core/member-names.js";
import { ConfigurationError, NoSuchOptError } from "../../exceptions.js";
import { isJsonObject } from "../../values/json.js";
import type { Notification, NotificationMetadata } from "../notification.js";
import { pythonMatch } from "./python-regexp.js";

/** Regular expressions in Python's syntax, matched at the start of the text as `re.match` does. */
export interface NotificationFilterRule {
  /** Matches the ID of the publisher. */
  publisherId?: string | undefined;
  /** Matches the type of the event. */
  eventType?: string | undefined;
  /** Matches members of the context, by name. */
  context?: Readonly<Record<string, string>> | undefined;
  /** Matches `messageId` and `timestamp` of the metadata. */
  metadata?: Readonly<Record<string, string>> | undefined;
  /** Matches members of the payload, by name. */
  payload?: Readonly<Record<string, string>> | undefined;
}

/**
 * Selects the notifications that an endpoint receives: those that match every part of the rule. A member that is missing or
 * not a string does not match (oslo_messaging/notify/filter.py).
 *
 * @example
 * ```ts
 * const endpoint = { filterRule: new NotificationFilter({ eventType: "compute\\.instance\\..*" }), info() {} };
 * ```
 * @throws ConfigurationError for an invalid or unsupported expression.
 * @throws NoSuchOptError for an unknown part of the rule.
 */
export class NotificationFilter {
  readonly #checks: readonly ((notification: Notification) => boolean)[];

  constructor(rule: NotificationFilterRule) {
    if (!isRecord(rule)) throw new ConfigurationError("rule", `must be { ${PARTS.join(", ")} }, not ${kindOf(rule)}`);
    const { publisherId, eventType, context, metadata, payload, ...unknown } = rule;
    for (const key of Object.keys(unknown)) {
      throw new NoSuchOptError(key, `unknown part of a notification filter${similarName(key, PARTS)}`);
    }
    for (const key of Object.keys(metadata ?? {}).filter((name) => !METADATA.has(name))) {
      throw new NoSuchOptError(`metadata.${key}`, `unknown metadata: use ${[...METADATA].join(" or ")}`);
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

const PARTS: readonly (keyof NotificationFilterRule)[] = ["publisherId", "eventType", "context", "metadata", "payload"];

/** The members of the metadata. Rules copied from Python have `message_id`. */
const METADATA: ReadonlySet<string> = new Set<keyof NotificationMetadata>(["messageId", "timestamp"]);

type RuleCheck = (notification: Notification) => boolean;

/** Empty for an omitted part of the rule. */
function textCheck(key: string, pattern: unknown, read: (notification: Notification) => unknown): RuleCheck[] {
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

function memberChecks(key: string, patterns: unknown, read: (notification: Notification) => unknown): RuleCheck[] {
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
