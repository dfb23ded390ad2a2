import { InvalidTarget } from "./exceptions.js";

/** The members of a {@link Target}, each of which may be absent. */
export interface TargetInit {
  /** A scope for topics. Absent: the transport's `controlExchange`. */
  exchange?: string | undefined;
  /** Names what a server offers. Several may serve one topic. */
  topic?: string | undefined;
  /** Tells one interface from others of the same topic. Absent: the interface without a name. */
  namespace?: string | undefined;
  /** `major.minor` or `major.minor.revision`. */
  version?: string | undefined;
  /** One of the servers of the topic. */
  server?: string | undefined;
  /** To every server of the topic. */
  fanout?: boolean | undefined;
  /** Namespaces that an endpoint answers to besides its own. */
  legacyNamespaces?: readonly string[] | undefined;
}

/** A Target, or what one is made from. */
export type TargetLike = Target | TargetInit;

/** Absent (or undefined) inherits, null clears. */
export type Overrides<T> = { [K in keyof T]?: T[K] | null | undefined };

/**
 * Whom a message is for, or who listens (oslo_messaging/target.py): an RPC server needs topic and server, an endpoint
 * may have namespace and version, whoever sends needs a topic. Immutable.
 *
 * @throws InvalidTarget when a member is of the wrong type.
 */
export class Target {
  /** A scope for topics. */
  readonly exchange: string | undefined;
  /** What a server offers. */
  readonly topic: string | undefined;
  /** One interface of those that a topic has. */
  readonly namespace: string | undefined;
  /** `major.minor` or `major.minor.revision` of the interface. */
  readonly version: string | undefined;
  /** One of the servers of the topic. */
  readonly server: string | undefined;
  /** To every server of the topic. */
  readonly fanout: boolean;
  /** The namespace, then the legacy ones. */
  readonly acceptedNamespaces: readonly (string | undefined)[];
  readonly #init: TargetInit;

  constructor(init: TargetInit = {}) {
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

  /** A copy. Absent members stay, `null` clears. The legacy namespaces stay too, which oslo's copy forgets. */
  with(overrides: Overrides<TargetInit>): Target {
    const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
    return new Target({ ...this.#init, ...Object.fromEntries(given.map(([key, value]) => [key, value ?? undefined])) });
  }

  /** As Python prints it: `<Target topic=calc, server=host-a>`. */
  toString(): string {
    const texts = TEXTS.filter((key) => this[key]).map((key) => `${key}=${this[key]}`);
    return `<Target ${[...texts, ...(this.fanout ? ["fanout=True"] : [])].join(", ")}>`;
  }
}

/** A Target as it is, or made from its members. */
export function toTarget(like: TargetLike): Target {
  return like instanceof Target ? like : new Target(like);
}

const TEXTS = ["exchange", "topic", "namespace", "version", "server"] as const;

/** Callers without types pass anything, and a number in an address would meet nobody. */
function check(target: Target, key: keyof Target, type: "string" | "boolean"): void {
  const value: unknown = target[key];
  if (value !== undefined && typeof value !== type) {
    throw new InvalidTarget(`${key} must be a ${type}, not ${value === null ? "null" : typeof value}`, target);
  }
}
