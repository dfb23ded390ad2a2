import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  Notifier,
  type RabbitOptions,
  type RPCClient,
  type TransportOptions,
} from "@/src/entry/node.js";
import { RabbitMq, type RabbitMqInit } from "@/test/fixtures/beds/rabbitmq.js";
import type { RabbitMqScheme } from "@/test/fixtures/beds/rabbitmq-node.js";
import { FrameRelay } from "@/test/fixtures/network/frame-relay.js";
import { failureOf } from "@/test/fixtures/peers/driver-peer.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { Frames } from "@/test/fixtures/stages/frame-recorder.js";
import { notifierOf } from "@/test/fixtures/stages/notification-endpoints.js";
import { CountingEndpoint, rabbitStage } from "@/test/fixtures/stages/rabbit-stage.js";
import type { Stage } from "@/test/fixtures/stages/stage.js";
import { nextStatus } from "@/test/fixtures/stages/status.js";
import { waitFor } from "@/test/fixtures/stages/wait-for.js";

/** Largest message that the broker accepts. */
const MAX_MESSAGE_BYTES = 100_000;
const SIZE = `max_message_size = ${MAX_MESSAGE_BYTES}`;
const QUORUM: RabbitOptions = { rabbitQuorumQueue: true, rabbitTransientQuorumQueue: true };
const STRICT = "deprecated_features.permit.transient_nonexcl_queues = false";

const BROKERS = {
  "3.10.8": { version: "3.10.8", settings: [SIZE] },
  "4 without transient queues": { version: "4", settings: [SIZE, STRICT] },
} satisfies Record<string, RabbitMqInit>;

interface Way {
  name: keyof typeof BROKERS;
  scheme: RabbitMqScheme;
  survives: RabbitOptions;
  isStrict: boolean;
  /** Texts of the broker. */
  alarm: RegExp;
  tooLarge: RegExp;
  /** Names of frames. */
  acknowledgement: string;
}

const AMQP_0_9_1 = {
  scheme: "rabbit",
  alarm: /low on memory/,
  tooLarge: /message size \d{6} is larger than configured max size 100000/,
  acknowledgement: "basic.ack",
} as const;
const AMQP_1_0 = {
  scheme: "amqp",
  alarm: /an alarm \(the broker has closed the incoming window of the session\)/,
  tooLarge: /message of \d{6} bytes exceeds the peer's limit of 100000 bytes/,
  acknowledgement: "disposition",
} as const;

const WAYS: readonly Way[] = [
  { name: "3.10.8", survives: { amqpDurableQueues: true }, isStrict: false, ...AMQP_0_9_1 },
  { name: "4 without transient queues", survives: QUORUM, isStrict: true, ...AMQP_0_9_1 },
  { name: "4 without transient queues", survives: QUORUM, isStrict: true, ...AMQP_1_0 },
];

/** Most calls of a load that wait for their replies. */
const MAX_WAITING = 200;

const START_LIMIT_MS = 150_000;

function clientOf(stage: Stage, topic: string, timeoutMs = 60_000): RPCClient {
  return getRpcClient(stage.rpcTransport(), { topic, version: "1.0" }, { timeoutMs });
}

const starting = new Map(Object.entries(BROKERS).map(([name, init]) => [name, RabbitMq.start(init)]));
afterAll(async () => {
  for (const start of await Promise.allSettled(starting.values())) {
    if (start.status === "fulfilled") await start.value.stop();
  }
});

describe.each(WAYS)("RabbitMQ $name by $scheme", (way) => {
  const { name, scheme, survives, isStrict, alarm, tooLarge } = way;
  let broker: RabbitMq;
  beforeAll(async () => {
    broker = (await starting.get(name)) as RabbitMq;
  }, START_LIMIT_MS);

  /** A stage on a virtual host of its own, whose queues survive a restart of the broker unless other options are given. */
  async function staged(rabbit: RabbitOptions = survives, options: TransportOptions = {}): Promise<Stage> {
    const url = broker.url(await broker.addVirtualHost(), broker.address, scheme);
    return rabbitStage(url, "faults", { ...options, rabbit });
  }

  /** Sends calls, casts and notifications until it is stopped. */
  class Load {
    readonly calls: Promise<unknown>[] = [];
    readonly casts: Promise<void>[] = [];
    readonly notifications: Promise<void>[] = [];
    readonly counting: CountingEndpoint;
    /** Types of the events that the listener has got. */
    readonly seen: ReadonlySet<string>;
    readonly #stage: Stage;
    readonly #timer: ReturnType<typeof setInterval>;
    #waiting = 0;

    private constructor(stage: Stage, rpc: RPCClient, counting: CountingEndpoint, seen: ReadonlySet<string>) {
      this.#stage = stage;
      this.counting = counting;
      this.seen = seen;
      const notifier = notifierOf(stage);
      this.#timer = setInterval(() => {
        if (this.#waiting >= MAX_WAITING) return;
        this.#waiting++;
        const n = this.calls.length;
        this.calls.push(rpc.call({}, "count", { arg: `call ${n}` }));
        this.casts.push(rpc.cast({}, "count", { arg: `cast ${n}` }));
        this.notifications.push(notifier.info({}, `notification ${n}`, n));
        for (const sent of [this.casts, this.notifications]) sent.at(-1)?.catch(() => {});
        const settled = (): void => void this.#waiting--;
        this.calls.at(-1)?.then(settled, settled);
      }, 5);
    }

    static async start(stage: Stage, timeoutMs?: number): Promise<Load> {
      const counting = new CountingEndpoint();
      const seen = new Set<string>();
      await stage.serve("s", [counting], { concurrency: 5 });
      await stage.listen([{ info: (_context, _publisher, event) => void seen.add(event) }]);
      const load = new Load(stage, clientOf(stage, stage.topic, timeoutMs), counting, seen);
      await load.passed(20);
      return load;
    }

    /** Resolves when this many more calls have been answered. */
    async passed(count: number): Promise<void> {
      const start = this.calls.length;
      await waitFor("the load", () => this.calls.length >= start + count);
      await Promise.all(this.calls.slice(start, start + count));
    }

    /** Resolves with the number of calls, once all messages are settled. */
    async stop(): Promise<number> {
      clearInterval(this.#timer);
      await Promise.all([...this.casts, ...this.notifications]);
      await Promise.allSettled(this.calls);
      // Behind them in their queues.
      await clientOf(this.#stage, this.#stage.topic).call({}, "count", { arg: "last" });
      return this.calls.length;
    }
  }

  test("a stop and a start under load: nothing is lost of durable queues, every request is executed once, servers and listeners come back", {
    timeout: START_LIMIT_MS,
  }, async () => {
    await using stage = await staged();
    await using transient = await staged(isStrict ? QUORUM : {});
    await using idle = await staged(isStrict ? QUORUM : {});
    const load = await Load.start(stage);
    const other = await Load.start(transient, 5_000);
    const held = new BlockingEndpoint();
    const transport = stage.rpcTransport();
    await stage.serve("held", [held], { topic: `${stage.topic}-held`, concurrency: 5, transport });
    const heldCall = clientOf(stage, `${stage.topic}-held`).call({}, "hold", { arg: "held" });
    await held.begun("held");
    const heldOther = new BlockingEndpoint();
    await transient.serve("held", [heldOther], { topic: `${stage.topic}-held`, concurrency: 5 });
    const transientCall = clientOf(transient, `${stage.topic}-held`).call({}, "hold", { arg: "held" });
    await heldOther.begun("held");
    // Requests that wait in a queue, whose server has left.
    await (await idle.serve("s", [new CountingEndpoint()])).stop();
    const frames = new Frames();
    const waiting = idle.rpcTransport({ onFrame: frames.onFrame });
    const timeoutMs = isStrict ? 60_000 : 10_000;
    const unserved = getRpcClient(waiting, { topic: idle.topic }, { timeoutMs }).call({}, "count", { arg: "unserved" });
    await frames.passed("in", way.acknowledgement);
    const unservedEnd = unserved.catch((error: unknown) => error);

    await broker.restart(async () => {
      await nextStatus(transport, "disconnected");
      held.release();
      heldOther.release();
    });
    await load.passed(20);
    expect(await Promise.all([heldCall, transientCall])).toEqual(["held", "held"]);
    const count = await load.stop();
    expect(await Promise.all(load.calls)).toEqual(Array.from({ length: count }, (_, n) => `call ${n}`));
    const counts = [...load.counting.counts()].filter(([, times]) => times !== 1);
    expect(counts).toEqual([]);
    expect(load.counting.counts().size).toBe(2 * count + 1);
    await waitFor("all notifications", () => load.seen.size === count);

    await other.stop();
    expect([...other.counting.counts()].filter(([, times]) => times !== 1)).toEqual([]);
    const ends = new Set(
      (await Promise.allSettled(other.calls)).map((end) => (end.status === "rejected" ? end.reason.name : "")),
    );
    expect([...ends].filter((name) => name !== "" && name !== "MessagingTimeout")).toEqual([]);
    expect(stage.logger.of("error")).toEqual([]);
    // A transient queue is lost with its messages.
    await idle.serve("s", [new CountingEndpoint()]);
    const end = await unservedEnd;
    if (isStrict) expect(end).toBe("unserved");
    else expect(end).toMatchObject({ name: "MessagingTimeout", phase: "reply" });
  });

  test("an alarm blocks messages, in phase credit; consumers go on; at its end everything is sent", {
    timeout: 60_000,
  }, async () => {
    await using stage = await staged();
    await using blocked = await staged();
    const held = new BlockingEndpoint();
    const counting = new CountingEndpoint();
    await stage.serve("s", [held], { concurrency: 1 });
    await blocked.serve("s", [counting]);
    const rpc = clientOf(stage, stage.topic);
    await Promise.all(["a", "b", "c", "d", "e"].map((arg) => rpc.cast({}, "hold", { arg })));
    await held.begun("a");
    const transport = blocked.rpcTransport();
    const sending = getRpcClient(transport, { topic: blocked.topic, version: "1.0" });
    // The reply queue is declared: by AMQP 1.0 it could not be during the alarm.
    await sending.call({}, "count", { arg: "before" });
    await broker.ctl("set_vm_memory_high_watermark", "0");
    const first = sending.cast({}, "count", { arg: "first" });
    const reason = new RegExp(`accepts no messages at present: ${alarm.source}`);
    await waitFor("the warning", () => blocked.logger.of("warn").some((line) => reason.test(line)));
    const second = sending.call({}, "count", { arg: "second" });
    const refused = await failureOf(sending.call({}, "count", { arg: "late" }, { timeoutMs: 300 }));
    expect(refused).toMatchObject({ name: "MessagingTimeout", phase: "credit" });
    expect(refused.message).toMatch(new RegExp(`the broker blocks messages: ${alarm.source}`));
    held.release();
    for (const arg of ["b", "c", "d", "e"]) await held.begun(arg); // prefetch is 2: acks arrive
    await broker.ctl("set_vm_memory_high_watermark", "0.4");
    await first;
    expect(await second).toBe("second");
    await counting.counted("first");
    expect(counting.timesOf("late")).toBe(0);
    expect(blocked.logger.of("info")).toEqual([expect.stringMatching(/accepts messages again/)]);
  });

  test("a message that is too large fails alone: those in flight with it are sent", async () => {
    await using stage = await staged();
    const counting = new CountingEndpoint();
    await stage.serve("s", [counting]);
    const rpc = clientOf(stage, stage.topic);
    const sent = Array.from({ length: 40 }, (_, n) =>
      rpc.cast({}, "count", { arg: n === 20 ? "x".repeat(2 * MAX_MESSAGE_BYTES) : `${n}` }),
    );
    const call = rpc.call({}, "count", { arg: "call" });
    const ends = await Promise.allSettled(sent);
    const [failed] = ends.flatMap((end) => (end.status === "rejected" ? [end.reason] : []));
    expect(ends.filter(({ status }) => status === "rejected").length).toBe(1);
    expect(failed).toMatchObject({ name: "MessageDeliveryFailure", outcome: "rejected" });
    expect(failed.message).toMatch(tooLarge);
    expect(failed.cause).toMatchObject(
      scheme === "rabbit"
        ? { name: "Amqp091Error", code: 406 }
        : { name: "AmqpError", condition: "amqp:link:message-size-exceeded" },
    );
    expect(await call).toBe("call");
    expect([...counting.counts().values()]).toEqual(Array(40).fill(1));
  });

  test("a reply that is too large arrives as an error that says so", async () => {
    await using stage = await staged();
    await stage.serve("s", [{ large: () => "x".repeat(2 * MAX_MESSAGE_BYTES) }]);
    const error = await failureOf(clientOf(stage, stage.topic).call({}, "large"));
    expect(error).toMatchObject({ name: "RemoteError" });
    expect(error.message).toMatch(tooLarge);
  });

  if (isStrict) {
    test("a server, a call and a notification whose queues are transient fail at once, with the options that help", async () => {
      const virtualHost = await broker.addVirtualHost();
      await using relay = scheme === "rabbit" ? await FrameRelay.before(broker.address) : undefined;
      const url = broker.url(virtualHost, relay?.address, scheme);
      const names = /rabbit_quorum_queue .*rabbit_transient_quorum_queue/;
      const log: string[] = [];
      const logger = { debug() {}, info() {}, warn: (line: string) => void log.push(line), error() {} };
      await using transport = getRpcTransport(url, { logger });
      const starting = await failureOf(getRpcServer(transport, { topic: "t", server: "s" }, [{}]).start());
      expect(starting.message).toMatch(names);
      expect(starting.cause).toMatchObject({ name: scheme === "rabbit" ? "Amqp091Error" : "AmqpError", code: 541 });
      const calling = await failureOf(getRpcClient(transport, { topic: "t" }).call({}, "m"));
      expect(calling.message).toMatch(names);
      await using events = getNotificationTransport(url, { logger });
      const notifying = await failureOf(new Notifier(events, { publisherId: "p", topics: ["n"] }).info({}, "e", 1));
      expect(notifying).toMatchObject({ name: "MessageDeliveryFailure", outcome: "rejected" });
      expect(notifying.message).toMatch(names);
      // RabbitMQ closes the connection of AMQP 0-9-1 for it.
      if (relay !== undefined) expect(relay.connections).toBeLessThanOrEqual(5);
      expect(log.filter((line) => line.includes("\n"))).toEqual([]);
    });
  }
});
