import { describe, expect, test } from "vitest";
import type { StatusFeed } from "@/src/core/connection/status.js";
import { Deferred } from "@/src/core/deferred.js";
import { ConnectionLost } from "@/src/core/errors.js";
import type { TransportDriver } from "@/src/driver/driver.js";
import { ConfigurationError } from "@/src/driver/exceptions.js";
import { Target } from "@/src/driver/target.js";
import {
  callRequest,
  castRequest,
  DriverPeer,
  failureOf,
  notifyRequest,
  REPLIES,
  TARGET,
} from "@/test/fixtures/peers/driver-peer.js";
import { rabbitPeer, successionBed } from "@/test/fixtures/peers/succession-bed.js";
import { turn } from "@/test/fixtures/stages/turn.js";

const request = (method: string) => ({ body: { method, args: {} } });

/** Starts one operation of each kind. Resolves with their results, in the same order. */
function startAll(driver: TransportDriver): Promise<unknown[]> {
  return Promise.all([
    driver.cast(castRequest(request("a"))),
    driver.call(callRequest(request("b"))),
    driver.notify(notifyRequest()),
    driver.listen(TARGET, () => {}),
    driver.listenForNotifications([TARGET], () => {}, { pool: "pool" }),
    driver.connect({}),
    driver.probe(TARGET, "rpc", {}),
    driver.cast(castRequest({ ...request("c"), atLeastOnce: true })),
    driver.call(callRequest({ ...request("d"), atLeastOnce: true })),
  ]);
}

const ALL = [
  "cast a",
  "call b",
  "notify",
  "listen topic",
  "listen topic",
  "connect",
  "probe topic rpc",
  "cast c",
  "call d",
].map((name) => name.replace("topic", `${TARGET}`));

describe("a peer that is RabbitMQ 4", () => {
  test("the successor gets every operation that began before, once and in its order", async () => {
    const { driver, peer, successor, inits } = successionBed();
    successor.answer = ({ body }) => `answer to ${body.method}`;
    const results = await startAll(driver);
    expect(successor.started).toEqual(ALL);
    expect(results).toEqual([
      undefined,
      "answer to b",
      undefined,
      successor.listeners[0],
      successor.listeners[1],
      undefined,
      successor.report,
      undefined,
      "answer to d",
    ]);
    expect(successor.listeners[1]?.options.pool).toBe("pool");
    expect(inits).toHaveLength(1);
    expect(peer.links.unread).toEqual([]);
  });

  test("the successor gets every later operation, and AMQP 1.0 is not connected again", async () => {
    const { driver, peer, successor, frames } = successionBed();
    await driver.connect({});
    await startAll(driver);
    await driver.writable(undefined);
    expect(successor.started).toEqual(["connect", ...ALL, "writable"]);
    expect(driver.hasPools).toBe(true);
    expect(driver.inUse).toBe(successor);
    await peer.connections.take("a connection", (connection) => connection);
    expect(frames.filter(({ direction, performative }) => direction === "out" && performative === "open")).toHaveLength(
      1,
    );
    expect(frames.some(({ direction, performative }) => direction === "out" && performative === "close")).toBe(true);
  });

  test("operations that begin while the successor takes over follow those that began before", async () => {
    const third = new Deferred<Promise<void>>();
    const { driver, successor } = successionBed({
      onSuccessor: (bed) => queueMicrotask(() => third.resolve(bed.driver.cast(castRequest(request("third"))))),
    });
    const first = driver.call(callRequest(request("first")));
    const second = driver.listen(TARGET, () => {}, { timeoutMs: 60_000 });
    await third.promise;
    await Promise.all([first, second]);
    expect(successor.started).toEqual(["call first", `listen ${TARGET}`, "cast third"]);
  });

  test("the status goes from connecting to that of the successor, and nothing is logged", async () => {
    const { driver, statuses, inits, logger, status } = successionBed();
    await driver.connect({});
    expect(statuses).toEqual(["connecting"]);
    inits[0]?.status.set({ type: "connected", host: "peer0:5672", product: "RabbitMQ" });
    await turn();
    expect(statuses).toEqual(["connecting", "connected"]);
    expect(status.present.type).toBe("connected");
    expect(logger.lines).toEqual([]);
  });

  test("a message is sent as it was when its operation began", async () => {
    const { driver, successor } = successionBed();
    const list = [1n, 2];
    const context = { user: "u" };
    const payload = { event_type: "e", count: 2n ** 64n };
    const sent = [
      driver.call(callRequest({ body: { method: "m", args: { list } }, context })),
      driver.cast(castRequest({ body: { method: "m", args: { list } }, context })),
      driver.notify(notifyRequest({ body: payload, context })),
    ];
    list.push(3);
    context.user = "other";
    payload.event_type = "other";
    await Promise.all(sent);
    const body = { method: "m", args: { list: [1, 2] } };
    expect(successor.calls).toMatchObject([{ body, context: { user: "u" } }]);
    expect(successor.casts).toMatchObject([{ body, context: { user: "u" } }]);
    expect(successor.notifications).toMatchObject([
      { body: { event_type: "e", count: 2n ** 64n }, context: { user: "u" }, envelope: true },
    ]);
  });

  test("an argument that JSON cannot hold is refused at once, by its name", async () => {
    const { driver } = successionBed();
    const error = await failureOf(driver.cast(castRequest({ body: { method: "m", args: { when: Number.NaN } } })));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain("args.when is NaN");
  });

  test("an operation has the rest of its timeout, and its signal", async () => {
    const { driver, successor } = successionBed();
    const abort = new AbortController();
    const { signal } = abort;
    await driver.call(callRequest({ signal, retry: 3, timeoutMs: 20_000 }));
    await driver.connect({ signal });
    const [call] = successor.calls;
    expect(call).toMatchObject({ retry: 3, target: TARGET });
    expect(call?.timeoutMs).toBeGreaterThan(0);
    expect(call?.timeoutMs).toBeLessThanOrEqual(20_000);
    expect(call?.signal).toBe(signal);
    expect(successor.limits.at(-1)).toEqual({ signal });
  });

  test("a queued fanout cast that is pre-settled reaches the successor", async () => {
    const { driver, successor } = successionBed({ amqp: { preSettled: ["rpc-cast"] } });
    await driver.cast(castRequest({ target: new Target({ topic: "t", fanout: true }) }));
    expect(successor.casts).toHaveLength(1);
  });

  test("an operation that is aborted or times out before the peer is known ends, and is not started again", async () => {
    const { driver, successor, peer } = successionBed();
    peer.down = new Error("down");
    const abort = new AbortController();
    const timedOut = failureOf(driver.call(callRequest({ timeoutMs: 30 })));
    const aborted = failureOf(driver.cast(castRequest({ signal: abort.signal })));
    const unlimited = driver.cast(castRequest(request("unlimited")));
    abort.abort(new Error("given up"));
    expect((await aborted).message).toBe("given up");
    expect((await timedOut).name).toBe("MessagingTimeout");
    expect(successor.started).toEqual([]);
    peer.down = undefined;
    await unlimited;
    expect(successor.started).toEqual(["cast unlimited"]);
  });

  test("an attempt that outlives the operations goes on with the successor", async () => {
    const abort = new AbortController();
    const { driver, successor } = successionBed({ onDial: () => abort.abort(new Error("given up")) });
    const connected = new Deferred();
    successor.connect = async () => connected.resolve();
    expect((await failureOf(driver.cast(castRequest({ signal: abort.signal })))).message).toBe("given up");
    await connected.promise;
    expect(successor.casts).toEqual([]);
  });

  test("a successor whose options are invalid fails the attempt with its error", async () => {
    const { driver } = successionBed({
      onSuccessor: () => {
        throw new ConfigurationError("rabbit_quorum_queue", "is wrong");
      },
    });
    expect((await failureOf(driver.connect({}))).message).toBe("rabbit_quorum_queue: is wrong");
  });
});

describe("closing", () => {
  test("operations before the peer is known end with the transport, and there is no successor", async () => {
    const { driver, peer, successor, statuses } = successionBed();
    peer.down = new Error("down");
    const cast = failureOf(driver.cast(castRequest()));
    await driver.close(0);
    expect((await cast).message).toContain("the transport was closed");
    expect((await failureOf(driver.cast(castRequest()))).message).toBe("the transport is closed");
    expect(successor.started).toEqual([]);
    expect(statuses.at(-1)).toBe("closed");
  });

  test("operations within the time of grace go on with the successor, which is closed after them", async () => {
    const { driver, successor } = successionBed();
    const cast = driver.cast(castRequest(request("m")));
    const closing = driver.close(20_000);
    await cast;
    await closing;
    expect(successor.started).toEqual(["cast m", "close with grace"]);
    expect((await failureOf(driver.connect({}))).message).toBe("the transport is closed");
  });

  test("closing closes the successor once", async () => {
    const { driver, successor } = successionBed();
    await driver.connect({});
    await Promise.all([driver.close(0), driver.close(0)]);
    expect(successor.started).toEqual(["connect", "close at once"]);
  });
});

describe("a peer that is another product", () => {
  test("the driver of AMQP 1.0 stays, and refuses what it does not have", async () => {
    const { driver, peer, successor } = successionBed({ peers: [new DriverPeer()] });
    expect(driver.hasPools).toBe(true);
    const pool = failureOf(driver.listenForNotifications([TARGET], () => {}, { pool: "p" }));
    const refused = [
      failureOf(driver.cast(castRequest({ atLeastOnce: true }))),
      failureOf(driver.call(callRequest({ atLeastOnce: true }))),
    ];
    const calling = driver.call(callRequest());
    await peer.answer("answered", await peer.link(REPLIES, "sender"));
    expect(await calling).toBe("answered");
    for (const error of await Promise.all(refused)) {
      expect(error.message).toBe("atLeastOnce: only supported by RabbitMQ");
    }
    expect((await pool).message).toBe("pool: is only supported by RabbitMQ");
    expect(driver.hasPools).toBe(false);
    const later = failureOf(driver.cast(castRequest({ atLeastOnce: true })));
    expect((await later).name).toBe("ConfigurationError");
    expect((await failureOf(driver.listenForNotifications([TARGET], () => {}, { pool: "p" }))).name).toBe(
      "ConfigurationError",
    );
    expect(successor.started).toEqual([]);
  });

  test("a host that is RabbitMQ is refused after it", async () => {
    const other = new DriverPeer();
    const { driver, status, successor } = successionBed({ peers: [other, rabbitPeer()] });
    await driver.connect({});
    other.down = new Error("down");
    await other.kill();
    expect(await failureWith(status, "RabbitMQ")).toBe(
      "url: peer1:5672 is RabbitMQ, and another host is not: the hosts must be of one kind",
    );
    expect(successor.started).toEqual([]);
  });
});

describe("a RabbitMQ that is refused", () => {
  test.each([
    ["3.13.7", {}, "url: peer0:5672 is RabbitMQ 3.13.7, whose AMQP 1.0 is too old: use rabbit+ws:// or rabbit://"],
    [
      "4.1.0",
      { addressingMode: "legacy" },
      "addressing_mode: RabbitMQ has addresses of its own, not legacy ones: remove it",
    ],
    [
      "4.1.0",
      { addressingMode: "routable" },
      "addressing_mode: RabbitMQ has addresses of its own, not routable ones: remove it",
    ],
  ] as const)("version %s with %o is refused", async (version, amqp, message) => {
    const { driver, successor, status } = successionBed({ peers: [rabbitPeer(version)], amqp });
    const error = await failureOf(driver.connect({}));
    expect(error).toMatchObject({ name: "ConfigurationError", message });
    expect(status.present).toMatchObject({ type: "disconnected", error });
    expect(successor.started).toEqual([]);
  });

  test("without its driver the error shows the line that adds it", async () => {
    const { driver } = successionBed({ lacksDriver: true });
    expect((await failureOf(driver.connect({}))).message).toBe(
      'drivers: RabbitMQ needs the driver: import { rabbit } from "oslo-messaging/rabbit" and pass { drivers: [rabbit] }',
    );
  });
});

describe("a virtual host", () => {
  const hostnames = (frames: ReturnType<typeof successionBed>["frames"]) =>
    frames
      .filter(({ direction, performative }) => direction === "out" && performative === "open")
      .map(({ fields }) => (fields as { hostname?: string }).hostname);

  test("the successor connects with the hostname that it chooses, and knows the virtual host", async () => {
    const { driver, inits, frames } = successionBed({ virtualHost: "v", amqp: { pseudoVhost: false } });
    await driver.connect({});
    const [init] = inits;
    expect(init?.virtualHost).toBe("v");
    expect(init?.hosts.map(({ name }) => name)).toEqual(["peer0:5672"]);
    const host = init?.hosts[0];
    if (host === undefined) throw new Error("no host");
    const connection = await init?.connect(host, new AbortController().signal, 1, "vhost:v");
    await connection?.close();
    expect(hostnames(frames)).toEqual(["v", "vhost:v"]);
  });

  test("a connection that is reset is tried again with the hostname that RabbitMQ reads", async () => {
    const { driver, frames, successor, logger } = successionBed({ virtualHost: "v", onDial: resetFirst });
    await driver.connect({});
    expect(hostnames(frames)).toEqual(["vhost:v"]);
    expect(successor.started).toEqual(["connect"]);
    expect(logger.lines).toEqual([]);
  });

  test("the failure is the first one when the second attempt does not find RabbitMQ", async () => {
    const { driver } = successionBed({ virtualHost: "v", onDial: resetFirst, peers: [new DriverPeer()] });
    expect((await failureOf(driver.connect({}))).message).toBe("reset");
  });

  test("the failure names the virtual host when both attempts are reset", async () => {
    const { driver } = successionBed({
      virtualHost: "v",
      onDial: () => {
        throw new ConnectionLost("reset");
      },
    });
    expect((await failureOf(driver.connect({}))).message).toBe(
      "reset (RabbitMQ does so when the virtual host v does not exist or the user may not use it)",
    );
  });

  test("a reset is a failure when the URL has no virtual host", async () => {
    const { driver, frames } = successionBed({ onDial: resetFirst });
    expect((await failureOf(driver.connect({}))).message).toMatch(/^reset \(.* virtual host \/ does not exist/);
    expect(hostnames(frames)).toEqual([]);
  });
});

/** Resolves with the message of the next failed attempt that contains a text. */
async function failureWith(status: StatusFeed, text: string): Promise<string | undefined> {
  for await (const next of status.watch()) {
    if (next.type === "disconnected" && next.error?.message.includes(text)) return next.error.message;
  }
  return undefined;
}

function resetFirst(attempt: number): void {
  if (attempt === 1) throw new ConnectionLost("reset");
}
