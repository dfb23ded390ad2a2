import { randomUUID } from "node:crypto";
import { toError } from "../../core/errors.js";
import type { RabbitConnections } from "../../driver/rabbit/rabbit-connection.js";
import { replyRoute } from "../../driver/rabbit/topology.js";
import { Target } from "../../driver/target.js";
import { type Check, type CheckLimits, miscount } from "./findings.js";
import { adviceOnError } from "./rabbit-advice.js";
import { BrokerBlocked, type RabbitTrial, rabbitTrial } from "./rabbit-trial.js";

/** A check without its name. */
type Result = Omit<Check, "name">;

interface Names {
  readonly target: Target;
  /** Makes names of queues unique. */
  readonly id: string;
}

type Subject = (trial: RabbitTrial, connections: RabbitConnections, names: Names) => Promise<Result>;

/**
 * Checks on unused names how the broker distributes messages, and whether the user may declare, publish and consume. One
 * after another, because an error of one check may end the connection. An alarm ends them.
 */
export async function runRabbitChecks(connections: RabbitConnections, limits: CheckLimits): Promise<readonly Check[]> {
  const checks: Check[] = [];
  try {
    for (const [name, subject] of Object.entries(SUBJECTS)) {
      checks.push({ name, ...(await result(connections, limits, subject)) });
    }
  } catch (thrown) {
    if (!(thrown instanceof BrokerBlocked)) throw thrown;
    checks.push(alarm(thrown.message));
  }
  return checks;
}

const ALARM = "alarm";

/** The failed check of a broker in an alarm, in which it accepts no messages. */
export function alarm(reason: string): Check {
  return {
    name: ALARM,
    ok: false,
    detail: `the broker accepts no messages: ${reason}`,
    advice: "rabbitmqctl status names the alarm: free memory or disk space of the broker's host",
  };
}

export function isAlarm({ name }: Check): boolean {
  return name === ALARM;
}

const SUBJECTS: Readonly<Record<string, Subject>> = {
  fanout: distribution({ fanout: true }),
  "a request to any server": distribution({}),
  "a request to one server": distribution({ server: "server-1" }),
  replies,
  notifications,
};

async function result(connections: RabbitConnections, limits: CheckLimits, subject: Subject): Promise<Result> {
  const id = randomUUID().replaceAll("-", "");
  const name = `oslo-messaging-check-${id}`;
  const names = { id, target: new Target({ topic: name, exchange: name }) };
  try {
    return await rabbitTrial(connections, limits, (trial) => subject(trial, connections, names));
  } catch (thrown) {
    limits.signal.throwIfAborted();
    if (thrown instanceof BrokerBlocked) throw thrown;
    const error = toError(thrown);
    return { ok: false, detail: error.message, advice: adviceOnError(error) };
  }
}

/** Two servers of a topic consume their queues, and one message is sent to the topic, or to the first of them. */
function distribution(to: { fanout?: boolean; server?: string }): Subject {
  return async (trial, { topology }, { target, id }) => {
    const received = [0, 0];
    for (const index of received.keys()) {
      const server = target.with({ server: `server-${index + 1}` });
      for (const queue of topology.serverQueues(server, `${id}-${index}`)) {
        await trial.declare(queue);
        await trial.consume(queue.declaration.queue, () => {
          received[index] = (received[index] ?? 0) + 1;
        });
      }
    }
    const toAll = to.fanout === true;
    await trial.publish(topology.requestRoute(target.with(to)), "request");
    await trial.arrivals(toAll ? 2 : 1);
    const [first = 0, second = 0] = received;
    if (to.server !== undefined && second > 0) return { ok: false, detail: "another server got the message" };
    if (first + second === 0) return { ok: false, detail: LOST };
    const wrong = miscount(first, second, toAll);
    if (wrong !== undefined) return { ok: false, detail: wrong };
    return { ok: true, detail: toAll ? "both servers got the message" : "one server got the message" };
  };
}

/** A reply is published to the queue of the caller by the default exchange. */
async function replies(trial: RabbitTrial, { topology }: RabbitConnections, { id }: Names): Promise<Result> {
  const queue = topology.replyQueue(id);
  const { queue: name } = queue.declaration;
  await trial.declare(queue);
  return await arrival(trial, name, () => trial.publish(replyRoute(name), "reply"), "first");
}

/** A notification is published before its queue is consumed. */
async function notifications(trial: RabbitTrial, { topology }: RabbitConnections, { target }: Names): Promise<Result> {
  const route = topology.notificationRoute(target);
  if (route.queue === undefined) return { ok: false, detail: LOST };
  await trial.declare(route.queue);
  return await arrival(trial, route.queue.declaration.queue, () => trial.publish(route, "notification"), "last");
}

const LOST = "the message was accepted, and is lost";

async function arrival(
  trial: RabbitTrial,
  queue: string,
  publish: () => Promise<void>,
  consume: "first" | "last",
): Promise<Result> {
  let received = 0;
  const consumed = () => trial.consume(queue, () => received++);
  for (const step of consume === "first" ? [consumed, publish] : [publish, consumed]) await step();
  await trial.arrivals(1);
  if (received === 0) return { ok: false, detail: LOST };
  if (received > 1) return { ok: false, detail: `${received} copies of the message came` };
  return {
    ok: true,
    detail: consume === "first" ? "a message to the reply queue came" : "a notification waited for its listener",
  };
}
