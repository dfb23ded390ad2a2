import { wrongMembers } from "../core/member-names.js";
import { isWellFormed } from "../core/well-formed.js";
import { InvalidTarget } from "./exceptions.js";

/** The members of a {@link Target}, all of them optional. */
export interface TargetInit {
  /** Scope of topics. Default: `controlExchange` of the transport. */
  exchange?: string | undefined;
  /** Name of the service that servers offer. Several servers may serve one topic. */
  topic?: string | undefined;
  /** Name of an interface of the topic. When omitted, the interface without a name. */
  namespace?: string | undefined;
  /** Version of the interface: `major.minor` or `major.minor.revision`. */
  version?: string | undefined;
  /** Name of one server of the topic. */
  server?: string | undefined;
  /** Send to every server of the topic. */
  fanout?: boolean | undefined;
  /** Namespaces that an endpoint accepts in addition to its own. */
  legacyNamespaces?: readonly string[] | undefined;
}

/** A Target, or the members to make one from. */
export type TargetLike = Target | TargetInit;

/** Members to change: an omitted or undefined one inherits, null clears. */
export type Overrides<T> = { [K in keyof T]?: T[K] | null | undefined };

/**
 * Destination of a message, or the identity of a server or endpoint (oslo_messaging/target.py). An RPC server requires topic
 * and server, an endpoint may have namespace and version, and senders require a topic. Immutable.
 *
 * @throws InvalidTarget when a member is unknown, has the wrong type, or contains half a surrogate pair, which AMQP cannot
 *   encode.
 */
export class Target {
  /** Scope of topics. */
  readonly exchange: string | undefined;
  /** Name of the service that servers offer. */
  readonly topic: string | undefined;
  /** Name of an interface of the topic. */
  readonly namespace: string | undefined;
  /** Version of the interface: `major.minor` or `major.minor.revision`. */
  readonly version: string | undefined;
  /** Name of one server of the topic. */
  readonly server: string | undefined;
  /** Whether messages are sent to every server of the topic. */
  readonly fanout: boolean;
  /** The namespace, then the legacy ones. */
  readonly acceptedNamespaces: readonly (string | undefined)[];
  readonly #init: TargetInit;

  constructor(init: TargetInit = {}) {
    checkMembers(init, this);
    this.exchange = init.exchange;
    this.topic = init.topic;
    this.namespace = init.namespace;
    this.version = init.version;
    this.server = init.server;
    this.fanout = init.fanout ?? false;
    this.acceptedNamespaces = [init.namespace, ...(init.legacyNamespaces ?? [])];
    this.#init = { ...init };
    for (const key of TEXTS) check(this, key, "string");
    check(this, "fanout", "boolean");
  }

  /**
   * Returns a changed copy. Omitted members inherit, `null` clears. Unlike in oslo, the copy keeps the legacy namespaces.
   *
   * @throws InvalidTarget when a member is unknown or has the wrong type.
   */
  with(overrides: Overrides<TargetInit>): Target {
    checkNames(overrides, this);
    const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
    return new Target({ ...this.#init, ...Object.fromEntries(given.map(([key, value]) => [key, value ?? undefined])) });
  }

  /** The target as Python prints it: `<Target topic=calc, server=host-a>`. */
  toString(): string {
    const texts = TEXTS.filter((key) => this[key]).map((key) => `${key}=${this[key]}`);
    return `<Target ${[...texts, ...(this.fanout ? ["fanout=True"] : [])].join(", ")}>`;
  }
}

/** Whether a value is a Target with its methods, also one of a second copy of this library. */
export function isTarget(value: unknown): value is Target {
  const { acceptedNamespaces, with: change } = Object(value);
  return Array.isArray(acceptedNamespaces) && typeof change === "function";
}

/**
 * Returns a Target unchanged, or makes one from members.
 *
 * @throws InvalidTarget as the constructor of a Target, and for undefined.
 */
export function toTarget(like: TargetLike): Target {
  if (like === undefined) throw new InvalidTarget("a target is required", new Target());
  return isTarget(like) ? like : new Target(like);
}

const TEXTS = ["exchange", "topic", "namespace", "version", "server"] as const;

/** The members of an init object, and those that a copy of a Target may have in addition. */
const MEMBERS = [...TEXTS, "fanout", "legacyNamespaces", "acceptedNamespaces"];

function checkNames(members: object, target: Target): void {
  const wrong = wrongMembers(members, MEMBERS);
  if (wrong !== undefined) throw new InvalidTarget(`a target ${wrong}`, target);
}

function checkMembers(init: TargetInit, target: Target): void {
  checkNames(init, target);
  const { legacyNamespaces = [] } = init;
  if (!Array.isArray(legacyNamespaces) || legacyNamespaces.some((name) => typeof name !== "string")) {
    throw new InvalidTarget("legacyNamespaces must be an array of strings", target);
  }
}

/** Callers in JavaScript may pass any type. A number in an address would reach no server. */
function check(target: Target, key: keyof Target, type: "string" | "boolean"): void {
  const value: unknown = target[key];
  if (value !== undefined && typeof value !== type) {
    throw new InvalidTarget(`${key} must be a ${type}, not ${value === null ? "null" : typeof value}`, target);
  }
  if (typeof value === "string" && !isWellFormed(value)) {
    throw new InvalidTarget(`${key} contains half a surrogate pair`, target);
  }
}
