import { beforeAll, describe, expect, test } from "vitest";
import { getRpcClient, type NotificationEndpoint, type RPCClient } from "@/src/entry/node.js";
import { type RabbitMqBed, rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { type Fate, FrameRelay, type PassingFrame } from "@/test/fixtures/network/frame-relay.js";
import { PythonServer } from "@/test/fixtures/python/python.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { notifierOf } from "@/test/fixtures/stages/notification-endpoints.js";
import { CountingEndpoint, rabbitStage } from "@/test/fixtures/stages/rabbit-stage.js";
import type { Stage } from "@/test/fixtures/stages/stage.js";
import { nextStatus } from "@/test/fixtures/stages/status.js";

type Phase = readonly [title: string, fate: Fate, direction: PassingFrame["direction"], name: string];

/** The phases of opening a connection. */
const OPENING: readonly Phase[] = [
  ["after the protocol header", "cut", "<", "connection.start"],
  ["during the login", "cut", "<", "connection.tune"],
  ["after the open", "last", "<", "connection.open-ok"],
];

const BEFORE_CONFIRM: Phase = ["before the confirm", "cut", "<", "basic.ack"];

/** A client connects for publishing first: its connections in this order. */
const PUBLISHING = 1;
const LISTENING = 2;

/** The connections that one phase cuts, by their numbers. The second of both is the first one after the cut. */
const CONNECTIONS = [
  ["the publishing connection", [PUBLISHING]],
  ["the listening connection", [LISTENING]],
  ["each connection", [1, 3]],
] as const;

let bed: RabbitMqBed;
beforeAll(async () => {
  bed = await rabbitMqBed("3.10.8");
});

/** A relay, and a stage behind it that is not closed before the connections are. */
async function relayed(): Promise<AsyncDisposable & { relay: FrameRelay; stage: Stage }> {
  const relay = await FrameRelay.before(bed.node.address);
  const stage = rabbitStage(bed.node.url(bed.virtualHost, relay.address), "relayed");
  return {
    relay,
    stage,
    async [Symbol.asyncDispose]() {
      await stage[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}

/** A client that is not connected yet. */
function clientOf(stage: Stage, topic: string, transport = stage.rpcTransport()): RPCClient {
  return getRpcClient(transport, { topic, version: "1.0" });
}

/** An endpoint that puts the types of events into an inbox. */
function eventsTo(inbox: Inbox<string>): NotificationEndpoint {
  return { info: (_context, _publisher, event) => inbox.put(event) };
}

function at([, fate, direction, name]: Phase, connection?: number) {
  return [
    fate,
    (frame: PassingFrame) =>
      frame.direction === direction && frame.name === name && (connection ?? frame.connection) === frame.connection,
  ] as const;
}

describe.concurrent("a client whose connection is cut", () => {
  const OF_BOTH = OPENING.flatMap((phase) =>
    CONNECTIONS.map(([which, numbers]) => ({ title: `${phase[0]} of ${which}`, phase, numbers })),
  );
  const LATER: readonly Phase[] = [
    ["during the declare of an exchange", "cut", "<", "exchange.declare-ok"],
    ["during the declare of the reply queue", "cut", "<", "queue.declare-ok"],
    ["before the start of its consumer", "cut", "<", "basic.consume-ok"],
    ["before a publish arrives", "cut", ">", "basic.publish"],
    BEFORE_CONFIRM,
    ["before the reply", "cut", "<", "basic.deliver"],
    ["with the ack of the reply", "cut", ">", "basic.ack"],
  ];

  test.for(OF_BOTH)("$title gets its reply; the server executes the request once", async (row) => {
    await using client = await relayed();
    await using stage = rabbitStage(bed.url, "direct");
    const counting = new CountingEndpoint();
    await stage.serve("s", [counting]);
    const cuts = row.numbers.map((number) => client.relay.next(...at(row.phase, number)));
    const rpc = clientOf(client.stage, stage.topic);
    expect(await rpc.call({}, "count", { arg: "a" })).toBe("a");
    await Promise.all(cuts);
    expect(await rpc.call({}, "count", { arg: "b" })).toBe("b");
    expect([...counting.counts()]).toEqual([
      ["a", 1],
      ["b", 1],
    ]);
  });

  test.for(LATER)("%s gets its reply; the server executes the request once", async (phase) => {
    await using client = await relayed();
    await using stage = rabbitStage(bed.url, "direct");
    const counting = new CountingEndpoint();
    await stage.serve("s", [counting]);
    const cut = client.relay.next(...at(phase));
    const rpc = clientOf(client.stage, stage.topic);
    expect(await rpc.call({}, "count", { arg: "a" })).toBe("a");
    await cut;
    expect(await rpc.call({}, "count", { arg: "b" })).toBe("b");
    expect([...counting.counts()]).toEqual([
      ["a", 1],
      ["b", 1],
    ]);
  });

  test("while the server is busy gets the reply, which waits in its queue", async () => {
    await using client = await relayed();
    await using stage = rabbitStage(bed.url, "direct");
    const held = new BlockingEndpoint();
    await stage.serve("s", [held], { concurrency: 3 });
    const rpc = clientOf(client.stage, stage.topic);
    const calls = ["a", "b", "c"].map((arg) => rpc.call({}, "hold", { arg }));
    await Promise.all(["a", "b", "c"].map((arg) => held.begun(arg)));
    client.relay.cut();
    held.release();
    expect(await Promise.all(calls)).toEqual(["a", "b", "c"]);
    expect(held.calls.length).toBe(3);
  });

  test("before the confirm of a cast sends it again; the server executes it once", async () => {
    await using client = await relayed();
    await using stage = rabbitStage(bed.url, "direct");
    const counting = new CountingEndpoint();
    await stage.serve("s", [counting]);
    const rpc = clientOf(client.stage, stage.topic);
    const cut = client.relay.next(...at(BEFORE_CONFIRM));
    await rpc.cast({}, "count", { arg: "a" });
    await cut;
    await rpc.call({}, "count", { arg: "behind" });
    expect(counting.timesOf("a")).toBe(1);
  });

  test("before the confirm of a cast sends it again; a Python server executes it once", async () => {
    await using client = await relayed();
    await using python = await PythonServer.start({ url: bed.url, topic: "cut-cast", server: "python" });
    const rpc = clientOf(client.stage, "cut-cast");
    const cut = client.relay.next(...at(BEFORE_CONFIRM));
    await rpc.cast({}, "note", { arg: "a" });
    await cut;
    await python.noted("a");
    expect(await rpc.call({}, "counts", {})).toMatchObject({ notes: 1 });
  });

  test("before the confirms of 100 casts sends them again; a Python server executes each one once", async () => {
    await using client = await relayed();
    await using _python = await PythonServer.start({ url: bed.url, topic: "cut-casts", server: "python" });
    const rpc = clientOf(client.stage, "cut-casts");
    await rpc.call({}, "counts", {});
    // The casts wait for their confirms 16 at a time: those that are sent again must not come behind the others.
    const cut = client.relay.next(...at(["", "silence", "<", "basic.ack"], PUBLISHING));
    const casts = Array.from({ length: 100 }, (_, number) => rpc.cast({}, "note", { arg: `${number}` }));
    await cut;
    client.relay.cut();
    await Promise.all(casts);
    expect(await rpc.call({}, "counts", {})).toMatchObject({ notes: 100 });
  });

  test("after a heartbeat and before the confirm times out when the server does not answer", async () => {
    await using client = await relayed();
    await using stage = rabbitStage(bed.url, "direct");
    const held = new BlockingEndpoint();
    await stage.serve("s", [held]);
    const rpc = clientOf(client.stage, stage.topic);
    const unconfirmed = ["echo", "hold"].map(() => client.relay.next(...at(["", "discard", "<", "basic.ack"])));
    await rpc.call({}, "echo", { arg: "a" });
    let heartbeats = 0;
    const isSecond = ({ name, direction }: PassingFrame): boolean =>
      direction === "<" && name === "basic.deliver" && ++heartbeats === 2;
    const alive = client.relay.next("cut", isSecond);
    const options = { timeoutMs: 4_500, callMonitorTimeoutMs: 2_000 };
    const call = expect(rpc.call({}, "hold", { arg: "a" }, options)).rejects.toMatchObject({
      name: "MessagingTimeout",
    });
    await Promise.all([...unconfirmed, alive]);
    client.relay.cut();
    await call;
    held.release();
  });

  test("before the confirm of a notification sends it again; the listener gets it once", async () => {
    await using client = await relayed();
    await using stage = rabbitStage(bed.url, "direct");
    const seen = new Inbox<string>("the listener");
    await stage.listen([eventsTo(seen)]);
    const notifier = notifierOf(client.stage, { topics: [stage.topic] });
    const cut = client.relay.next(...at(BEFORE_CONFIRM));
    await notifier.info({}, "cut", 1);
    await cut;
    await notifier.info({}, "behind", 2);
    await seen.take("the last notification", (event) => event === "behind" || undefined);
    expect(seen.unread).toEqual(["cut"]);
  });

  test("accepts a reply in the place of the confirm, and does not send the request again", async () => {
    await using client = await relayed();
    await using stage = rabbitStage(bed.url, "direct");
    const counting = new CountingEndpoint();
    await stage.serve("s", [counting]);
    const transport = client.stage.rpcTransport();
    const rpc = clientOf(client.stage, stage.topic, transport);
    const discarded = client.relay.next(...at(["", "discard", "<", "basic.ack"]));
    expect(await rpc.call({}, "count", { arg: "a" })).toBe("a");
    await discarded;
    const lost = nextStatus(transport, "disconnected");
    client.relay.cut();
    await lost;
    expect(await rpc.call({}, "count", { arg: "b" })).toBe("b");
    expect(counting.timesOf("a")).toBe(1);
  });

  test.for([
    ["publishing", PUBLISHING],
    ["listening", LISTENING],
  ] as const)(
    "by a peer that accepts the %s connection and is silent connects again after 15 s",
    async ([, number]) => {
      await using client = await relayed();
      await using stage = rabbitStage(bed.url, "direct");
      await stage.serve("s", [new CountingEndpoint()]);
      const transport = client.stage.rpcTransport();
      const silence = client.relay.next(...at(["", "silence", ">", "header"], number));
      const rpc = clientOf(client.stage, stage.topic, transport);
      expect(await rpc.call({}, "count", { arg: "a" })).toBe("a");
      await silence;
      expect(client.stage.logger.of("warn")).toEqual([
        expect.stringMatching(/no AMQP 0-9-1 connection within 15000 ms; next attempt in 0.5 s/),
      ]);
    },
  );
});

describe.concurrent("a server whose connection is cut", () => {
  const PHASES: readonly Phase[] = [
    ...OPENING,
    ["during the declare of its queues", "cut", "<", "queue.bind-ok"],
    ["before the start of a consumer", "cut", "<", "basic.consume-ok"],
    ["before a request arrives", "cut", "<", "basic.deliver"],
    ["with the ack of a request", "cut", ">", "basic.ack"],
    ["before its reply arrives", "cut", ">", "basic.publish"],
    ["before the confirm of its reply", "cut", "<", "basic.ack"],
  ];

  test.for(PHASES)("%s answers, and executes the request once", async (phase) => {
    await using server = await relayed();
    const counting = new CountingEndpoint();
    const cut = server.relay.next(...at(phase));
    await server.stage.serve("s", [counting]);
    await using stage = rabbitStage(bed.url, "direct");
    const rpc = clientOf(stage, server.stage.topic);
    expect(await rpc.call({}, "count", { arg: "a" })).toBe("a");
    await cut;
    expect(await rpc.call({}, "count", { arg: "b" })).toBe("b");
    expect([...counting.counts()]).toEqual([
      ["a", 1],
      ["b", 1],
    ]);
  });

  test.for(OPENING)("%s of the connection for replies answers", async (phase) => {
    await using server = await relayed();
    const cut = server.relay.next(...at(phase, 2));
    await server.stage.serve("s", [new CountingEndpoint()]);
    await using stage = rabbitStage(bed.url, "direct");
    const rpc = clientOf(stage, server.stage.topic);
    expect(await rpc.call({}, "count", { arg: "a" })).toBe("a");
    await cut;
  });

  test("while it handles a request answers, and does not execute the request again", async () => {
    await using server = await relayed();
    const held = new BlockingEndpoint();
    await server.stage.serve("s", [held], { concurrency: 5 });
    await using stage = rabbitStage(bed.url, "direct");
    const rpc = clientOf(stage, server.stage.topic);
    const call = rpc.call({}, "hold", { arg: "a" });
    await held.begun("a");
    server.relay.cut();
    expect(await rpc.call({}, "echo", { arg: "behind" })).toBe("behind");
    held.release();
    expect(await call).toBe("a");
    expect(held.calls).toEqual(["a"]);
  });
});

describe.concurrent("a notification listener whose connection is cut", () => {
  test("with the acknowledgement of a notification gets it once", async () => {
    await using listening = await relayed();
    const seen = new Inbox<string>("the listener");
    await listening.stage.listen([eventsTo(seen)]);
    await using stage = rabbitStage(bed.url, "direct");
    const notifier = notifierOf(stage, { topics: [listening.stage.topic] });
    const cut = listening.relay.next(...at(["", "cut", ">", "basic.ack"]));
    await notifier.info({}, "first", 1);
    await cut;
    await notifier.info({}, "second", 2);
    await seen.take("the last notification", (event) => event === "second" || undefined);
    expect(seen.unread).toEqual(["first"]);
  });

  test("while a notification is handled gets it again: it was not acknowledged", async () => {
    await using listening = await relayed();
    const held = new BlockingEndpoint();
    const calls: number[] = [];
    const info = async (_c: object, _p: string, arg: string): Promise<void> => {
      calls.push(1);
      if (calls.length === 1) await held.hold({}, { arg });
    };
    await listening.stage.listen([{ info }]);
    await using stage = rabbitStage(bed.url, "direct");
    const notifier = notifierOf(stage, { topics: [listening.stage.topic] });
    await notifier.info({}, "first", 1);
    await held.begun("first");
    const again = listening.relay.next("discard", ({ name }) => name === "basic.deliver");
    listening.relay.cut();
    await again;
    held.release();
    expect(calls.length).toBe(1);
  });
});
