import { afterAll, beforeAll, describe, inject, type TestContext } from "vitest";
import {
  getNotificationTransport,
  getRpcTransport,
  type NotificationTransport,
  type RPCTransport,
  type TransportOptions,
} from "@/src/entry/node.js";
import type { IntermediaryKind } from "@/src/intermediary/address-table.js";
import type { Addressing } from "@/src/intermediary/addresses.js";
import {
  type Abilities,
  ARTEMIS_LEGACY,
  ARTEMIS_ROUTABLE,
  type Bus,
  type BusPlan,
  EMBEDDED_BROKER,
  EMBEDDED_ROUTER,
  type Scheme,
} from "./bus.js";
import { foreignPlan } from "./foreign.js";

export { uniqueTopic } from "./unique-topic.js";

/** An intermediary and a way to reach it, for a suite of tests: see `overEveryBed`. */
export class Bed {
  readonly name: string;
  readonly plan: BusPlan;
  readonly scheme: Scheme;
  #bus: Bus | undefined;

  constructor(plan: BusPlan, scheme: Scheme) {
    this.name = `${scheme}, ${plan.name}`;
    this.plan = plan;
    this.scheme = scheme;
  }

  get kind(): IntermediaryKind {
    return this.plan.kind;
  }

  /** Takes messages for which nobody listens yet. Without it such a message gets no credit. */
  get storesMessages(): boolean {
    return this.kind === "broker";
  }

  /** A message is acknowledged by who receives it, and not by the intermediary. */
  get acknowledgesEndToEnd(): boolean {
    return this.kind === "router";
  }

  /** The intermediary runs in this process for this bed alone, so that `bus.close()` kills it. */
  get embedded(): boolean {
    return this.plan.schemes.includes("amqp+memory");
  }

  /** What runs, from `open` to `close`. */
  get bus(): Bus {
    if (this.#bus === undefined) throw new Error(`${this.name} is not open: use it within a test`);
    return this.#bus;
  }

  get url(): string {
    return this.bus.url(this.scheme);
  }

  get options(): TransportOptions {
    return { dialers: this.bus.dialers };
  }

  /** Whoever makes a transport closes it. */
  rpcTransport(options?: TransportOptions): RPCTransport {
    return getRpcTransport(this.url, { ...this.options, ...options });
  }

  notificationTransport(options?: TransportOptions): NotificationTransport {
    return getNotificationTransport(this.url, { ...this.options, ...options });
  }

  /** Skips a test of what this intermediary cannot do, and says so. */
  needs(ability: keyof Abilities, { skip }: Pick<TestContext, "skip">): void {
    skip(!this.plan.abilities[ability], CANNOT[ability]);
  }

  async open(addressing?: Addressing): Promise<void> {
    this.#bus = await this.plan.start(addressing);
  }

  async close(): Promise<void> {
    await this.#bus?.close();
    this.#bus = undefined;
  }
}

const CANNOT: Readonly<Record<keyof Abilities, string>> = {
  multicasts: "the intermediary delivers no fanout to all",
  requeues: "the intermediary does not deliver again what was given back",
  takesAnyAddress: "the intermediary knows the addresses that it is configured for",
  usualAddresses: "the URL has a virtual host, or options that shape addresses",
};

/** Ours by all its transports, and one that is not ours, so that ours cannot flatter us. */
const PLANS = [EMBEDDED_ROUTER, EMBEDDED_BROKER, ARTEMIS_ROUTABLE, ARTEMIS_LEGACY];

export interface BedOptions {
  /** Other intermediaries than usual. */
  plans?: readonly BusPlan[] | undefined;
  /** Options of addresses that the intermediary is told. */
  addressing?: Addressing | undefined;
}

/**
 * Declares the tests of a suite for every bed. The bed is open while they run; within a test it is theirs alone but for
 * Artemis. `npm run test:intermediary` has the beds of OSLO_MESSAGING_TEST_URL instead.
 */
export function overEveryBed(title: string, suite: (bed: Bed) => void, options: BedOptions = {}): void {
  for (const plan of inject("foreign")?.map(foreignPlan) ?? options.plans ?? PLANS) {
    for (const scheme of plan.schemes) {
      const bed = new Bed(plan, scheme);
      describe(`${title} over ${bed.name}`, () => {
        beforeAll(() => bed.open(options.addressing));
        afterAll(() => bed.close());
        suite(bed);
      });
    }
  }
}
