import { randomUUID } from "node:crypto";
import { uptime } from "node:os";
import type { Message } from "../../core/messages/message.js";
import type { Route } from "../../driver/amqp/addressing.js";
import type { DriverConnection } from "../../driver/amqp/driver-connection.js";
import type { ServiceKind } from "../../driver/driver.js";
import { Target } from "../../driver/target.js";
import { adviceOnDistribution, adviceOnExpiry, adviceOnRefusal, warningOnListeners } from "./amqp-advice.js";
import { type Arrivals, type TrialInit, trial } from "./amqp-trial.js";
import { type Check, type CheckLimits, type Checks, miscount } from "./findings.js";

const SERVICES = ["rpc", "notify"] as const;
const DELIVERIES = ["multicast", "unicast", "anycast"] as const;
/** The kinds of links: Python's request no capabilities, ours request those of the product. */
const LINKS = ["our links", "Python's links"] as const;

/** One kind of address, and the kind of links that check it. */
interface Subject {
  name: string;
  service: ServiceKind;
  delivery: (typeof DELIVERIES)[number];
  links: (typeof LINKS)[number];
}

/**
 * Checks on unused addresses how the intermediary distributes messages: those of RPC and of notifications, for all
 * servers, for one server and for any server. If our links request more than the Python driver's, both are checked.
 */
export async function runChecks(bus: DriverConnection, limits: CheckLimits): Promise<Checks> {
  const distributions = subjectsOf(bus).map((subject) => distribution(bus, subject, limits));
  const results = await Promise.all([...distributions, replies(bus, limits)]);
  return { checks: results.flatMap(({ checks }) => checks), warnings: results.flatMap(({ warnings }) => warnings) };
}

function subjectsOf({ addresser }: DriverConnection): readonly Subject[] {
  const legacy = addresser.mode === "legacy"; // both services have the same legacy addresses
  const { capabilities } = addresser.resolve(new Target({ topic: "check" }), "rpc");
  const both = capabilities.length > 0;
  return SERVICES.filter((service) => !legacy || service === "rpc").flatMap((service) =>
    DELIVERIES.flatMap((delivery) =>
      LINKS.filter((links) => both || links === "Python's links").map((links) => {
        const name = legacy ? delivery : `${service} ${delivery}`;
        return { name: both ? `${name}, ${links}` : name, service, delivery, links };
      }),
    ),
  );
}

async function distribution(bus: DriverConnection, subject: Subject, limits: CheckLimits): Promise<Checks> {
  const { name, service, delivery, links } = subject;
  const topic = `oslo-messaging-check-${randomUUID()}`;
  const routeTo = (server: string): Route => {
    const target = new Target({ topic, fanout: delivery === "multicast", ...(delivery === "unicast" && { server }) });
    const route = bus.addresser.resolve(target, service);
    return links === "Python's links" ? { ...route, capabilities: [] } : route;
  };
  const to = routeTo("server-1");
  const listeners: TrialInit["listeners"] = [to, to, ...(delivery === "unicast" ? [routeTo("server-2")] : [])];
  const expires = links === "Python's links";
  const messages = expires ? { plain: {}, call: pythonCall() } : { plain: {} };
  const copies = delivery === "multicast" ? 2 : 1;
  const arrivals = await trial(bus, { listeners, messages, expected: copies * (expires ? 2 : 1) }, limits);
  const checks = [judge(bus, subject, to.address, arrivals)];
  const warnings = arrivals.neededSender ? [warningOnListeners(bus, to.address)] : [];
  if (expires && sum(arrivals.of("plain")) > 0) {
    const check = judgeExpiry(bus, name, to.address, arrivals);
    // The Python driver sets an expiry time only for calls.
    if (service === "rpc" && delivery !== "multicast") checks.push(check);
    else if (!check.ok) warnings.push(`${check.detail}; ${check.advice}`);
  }
  return { checks, warnings };
}

function judge(bus: DriverConnection, { name, delivery }: Subject, address: string, arrivals: Arrivals): Check {
  const [first = 0, second = 0, other = 0] = arrivals.of("plain");
  const toAll = delivery === "multicast";
  const wrong = other > 0 ? OTHER_SERVER : miscount(first, second, toAll);
  if (wrong === undefined) {
    return { name, ok: true, detail: toAll ? "both listeners got the message" : "one listener got the message" };
  }
  const refused = first + second + other === 0 && arrivals.problem !== undefined;
  const advice = refused ? adviceOnRefusal(bus, address) : adviceOnDistribution(bus, address, toAll);
  if (first + second + other === 0) return { name, ok: false, detail: lost("the message", arrivals), advice };
  return { name, ok: false, detail: wrong, advice };
}

const OTHER_SERVER = "the listener of another server got the message";

function judgeExpiry(bus: DriverConnection, subject: string, address: string, arrivals: Arrivals): Check {
  const name = `${subject}, a Python call's expiry`;
  if (sum(arrivals.of("call")) > 0) return { name, ok: true, detail: "a message that expired in 1970 came" };
  const detail = lost("a message that expired in 1970, as a Python call does", arrivals);
  return { name, ok: false, detail, advice: adviceOnExpiry(bus, address) };
}

/** Checks that the peer creates an address for replies, and that messages to it arrive. */
async function replies(bus: DriverConnection, limits: CheckLimits): Promise<Checks> {
  const name = "replies";
  const advice = "calls need a peer that makes an address for a link with a dynamic source (AMQP 1.0, messaging 3.5.3)";
  const arrivals = await trial(bus, { listeners: [undefined], messages: { plain: {} }, expected: 1 }, limits);
  const [received = 0] = arrivals.of("plain");
  const check: Check =
    received === 1
      ? { name, ok: true, detail: "a message to the address that the peer made came" }
      : { name, ok: false, detail: lost("a message to the address that the peer made", arrivals), advice };
  return { checks: [check], warnings: [] };
}

function lost(message: string, { problem }: Arrivals): string {
  return `no listener got ${message} (${problem ?? "it was accepted, and is lost"})`;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/**
 * A message that expires as a call of the Python driver does: its absolute-expiry-time counts from the start of the
 * machine, not from 1970 (oslo_messaging/_drivers/impl_amqp1.py send, compute_timeout).
 */
function pythonCall(): Message {
  const seconds = 60;
  return { ttl: seconds * 1_000, absoluteExpiryTime: BigInt(Math.ceil(uptime() + seconds)) * 1_000n };
}
