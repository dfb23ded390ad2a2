import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Deferred } from "@/src/core/deferred.js";
import { ConfigurationError } from "@/src/driver/exceptions.js";
import type { BatchNotificationEndpoint } from "@/src/driver/notify/listening/batch-dispatcher.js";
import {
  type BatchListenerOptions,
  getBatchNotificationListener,
} from "@/src/driver/notify/listening/batch-listener.js";
import { NotificationFilter } from "@/src/driver/notify/listening/filter.js";
import type { NotificationListener } from "@/src/driver/notify/listening/listener.js";
import { type Notification, NotificationResult } from "@/src/driver/notify/notification.js";
import { FakeDriver, type FakeIncoming } from "@/test/fixtures/fakes/fake-driver.js";

const TARGETS = [{ topic: "t" }];
let driver: FakeDriver;
beforeEach(() => {
  driver = new FakeDriver();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

async function listen(
  endpoints: readonly BatchNotificationEndpoint[],
  options: BatchListenerOptions,
): Promise<NotificationListener> {
  const listener = getBatchNotificationListener(driver.notificationTransport, TARGETS, endpoints, options);
  await listener.start();
  return listener;
}

function deliver(eventType: string, priority = "INFO"): FakeIncoming {
  const body = {
    message_id: `id of ${eventType}`,
    publisher_id: "p",
    event_type: eventType,
    priority,
    payload: { of: eventType },
    timestamp: "2026-11-23 10:53:28",
  };
  return driver.listener.deliver({ body, context: { user: "u" }, wantsReply: false });
}

/** An endpoint that records the event types of every batch, by priority. */
function recorder(result?: NotificationResult): BatchNotificationEndpoint & { readonly seen: [string, string[]][] } {
  const seen: [string, string[]][] = [];
  const handler = (priority: string) => (notifications: readonly Notification[]) => {
    seen.push([priority, notifications.map(({ eventType }) => eventType)]);
    return result;
  };
  return { seen, info: handler("info"), error: handler("error"), audit: handler("audit"), warn: handler("warn") };
}

/** Resolves after all pending callbacks have run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("a batch", () => {
  it("a full batch is handled and acknowledged as a whole", async () => {
    const endpoint = recorder();
    await listen([endpoint], { batchSize: 3 });
    const messages = ["a", "b", "c", "d"].map((event) => deliver(event));
    await messages[2]?.settled;
    expect(endpoint.seen).toEqual([["info", ["a", "b", "c"]]]);
    expect(messages.map(({ events }) => events)).toEqual([["acknowledge"], ["acknowledge"], ["acknowledge"], []]);
  });

  it("a batch that is not full is handled when the timeout since its first notification ends", {
    tags: ["notify:batch:first"],
  }, async () => {
    const endpoint = recorder();
    await listen([endpoint], { batchSize: 3, batchTimeoutMs: 100 });
    await vi.advanceTimersByTimeAsync(1_000); // the timeout starts with the first notification
    deliver("a");
    await vi.advanceTimersByTimeAsync(60);
    deliver("b");
    await vi.advanceTimersByTimeAsync(39);
    expect(endpoint.seen).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(endpoint.seen).toEqual([["info", ["a", "b"]]]);
    deliver("c");
    await vi.advanceTimersByTimeAsync(99);
    expect(endpoint.seen).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(endpoint.seen[1]).toEqual(["info", ["c"]]);
  });

  it("the batch after a full one has the whole timeout", { tags: ["notify:batch:first"] }, async () => {
    const endpoint = recorder();
    await listen([endpoint], { batchSize: 2, batchTimeoutMs: 100 });
    deliver("a");
    await vi.advanceTimersByTimeAsync(80);
    for (const event of ["b", "c"]) deliver(event);
    await vi.advanceTimersByTimeAsync(99);
    expect(endpoint.seen).toEqual([["info", ["a", "b"]]]);
    await vi.advanceTimersByTimeAsync(1);
    expect(endpoint.seen[1]).toEqual(["info", ["c"]]);
  });

  it("a batch without size holds all notifications that arrive before its timeout", async () => {
    const endpoint = recorder();
    await listen([endpoint], { batchTimeoutMs: 100 });
    const events = Array.from({ length: 300 }, (_, index) => `event ${index}`);
    for (const event of events) deliver(event);
    await vi.advanceTimersByTimeAsync(100);
    expect(endpoint.seen).toEqual([["info", events]]);
  });

  it("an empty batch is not handled", async () => {
    const endpoint = recorder();
    const listener = await listen([endpoint], { batchSize: 3, batchTimeoutMs: 100 });
    await vi.advanceTimersByTimeAsync(1_000);
    await listener.stop();
    await listener.wait();
    expect(endpoint.seen).toEqual([]);
  });

  it("endpoints receive all members of a notification in a batch", async () => {
    const info = vi.fn();
    await listen([{ info }], { batchSize: 1 });
    await deliver("a").settled;
    expect(info).toHaveBeenCalledExactlyOnceWith([
      {
        context: { user: "u" },
        publisherId: "p",
        eventType: "a",
        payload: { of: "a" },
        metadata: { messageId: "id of a", timestamp: "2026-11-23 10:53:28" },
      },
    ]);
  });

  it("a batch of several priorities is handled by priority, in the order of their names, and by arrival within each", async () => {
    const endpoint = recorder();
    await listen([endpoint], { batchSize: 6 });
    for (const [event, priority] of ["1 WARN", "2 INFO", "3 audit", "4 INFO", "5 Error"].map((text) =>
      text.split(" "),
    )) {
      deliver(event ?? "", priority);
    }
    await deliver("6", "WARN").settled;
    expect(endpoint.seen).toEqual([
      ["audit", ["3"]],
      ["error", ["5"]],
      ["info", ["2", "4"]],
      ["warn", ["1", "6"]],
    ]);
  });

  it("an endpoint receives the part of a batch that its filter matches, and no call when that is empty", async () => {
    const [some, none, all] = [recorder(), recorder(), recorder()];
    await listen(
      [
        { ...some, filterRule: new NotificationFilter({ eventType: "compute" }) },
        { ...none, filterRule: new NotificationFilter({ payload: { of: "nothing" } }) },
        all,
      ],
      { batchSize: 3 },
    );
    deliver("compute.a");
    deliver("network.b");
    await deliver("compute.c").settled;
    expect([some, none, all].map(({ seen }) => seen)).toEqual([
      [["info", ["compute.a", "compute.c"]]],
      [],
      [["info", ["compute.a", "network.b", "compute.c"]]],
    ]);
  });

  it.each([
    ["returns requeue", () => NotificationResult.REQUEUE],
    ["resolves with requeue", async () => NotificationResult.REQUEUE],
    ["throws", fails],
    ["rejects", async () => fails()],
  ])(
    "all notifications of a batch with one priority are requeued, also filtered ones, when an endpoint %s",
    async (_how, refuse) => {
      const [before, after] = [recorder(), recorder()];
      const filterRule = new NotificationFilter({ eventType: "a" });
      await listen([before, { info: refuse, filterRule }, after], { batchSize: 3, allowRequeue: true });
      const messages = [deliver("a"), deliver("b"), deliver("c", "ERROR")];
      await messages[2]?.settled;
      expect(messages.map(({ events }) => events)).toEqual([["requeue"], ["requeue"], ["acknowledge"]]);
      expect(before.seen).toEqual([
        ["error", ["c"]],
        ["info", ["a", "b"]],
      ]);
      expect(after.seen).toEqual([["error", ["c"]]]);
    },
  );

  it("an endpoint that returns requeue without allowRequeue is warned of once, with the option's name", async () => {
    await listen([{ info: () => NotificationResult.REQUEUE }], { batchSize: 1 });
    for (const name of ["a", "b"]) await deliver(name).settled;
    expect(driver.logger.lines).toMatchObject([{ level: "warn", message: expect.stringContaining("allowRequeue") }]);
  });

  it("a failed batch is acknowledged and the error logged when requeueing is not allowed", async () => {
    await listen([{ info: fails }], { batchSize: 2 });
    const messages = [deliver("a"), deliver("b")];
    await messages[1]?.settled;
    expect(messages.map(({ events }) => events)).toEqual([["acknowledge"], ["acknowledge"]]);
    expect(driver.logger.lines).toMatchObject([
      { level: "error", message: expect.stringContaining("out of paper"), fields: { priority: "info", count: 2 } },
    ]);
  });

  it("malformed notifications of a batch are settled and logged, and the others are handled", async () => {
    const endpoint = recorder();
    await listen([endpoint], { batchSize: 4, allowRequeue: true });
    const bad = [
      driver.listener.deliver({ body: "text" }),
      deliver("a", "constructor"),
      driver.listener.deliver({ body: null }),
    ];
    await deliver("b").settled;
    expect(bad.map(({ events }) => events)).toEqual([["acknowledge"], ["acknowledge"], ["acknowledge"]]);
    expect(driver.logger.of("warn")).toEqual([
      "discarded a notification that is not an object",
      "discarded a notification with an unknown priority",
    ]);
    expect(endpoint.seen).toEqual([["info", ["b"]]]);
  });

  it("only the notification that the serializer fails on is requeued", async () => {
    const endpoint = recorder();
    const same = (_context: object, entity: unknown) => entity;
    const deserializeEntity = (_context: object, entity: unknown) => {
      if (Reflect.get(Object(entity), "of") === "bad") throw new Error("unreadable");
      return entity;
    };
    const contexts = {
      serializeContext: (context: object) => context,
      deserializeContext: (context: object) => context,
    };
    const serializer = { serializeEntity: same, deserializeEntity, ...contexts };
    await listen([endpoint], { batchSize: 2, allowRequeue: true, serializer });
    const bad = deliver("bad");
    const good = deliver("good");
    await good.settled;
    expect([bad.events, good.events]).toEqual([["requeue"], ["acknowledge"]]);
    expect(endpoint.seen).toEqual([["info", ["good"]]]);
    expect(driver.logger.of("error")).toEqual([expect.stringContaining("unreadable")]);
  });
});

describe("a batch whose connection is lost", () => {
  it("after a lost connection a new batch begins, with its whole size and timeout", async () => {
    const endpoint = recorder();
    await listen([endpoint], { batchSize: 3, batchTimeoutMs: 100 });
    for (const event of ["a", "b"]) deliver(event).linkLost = true;
    await vi.advanceTimersByTimeAsync(80);
    for (const event of ["a again", "b again"]) deliver(event);
    await vi.advanceTimersByTimeAsync(99);
    expect(endpoint.seen).toEqual([]);
    deliver("c");
    await settled();
    expect(endpoint.seen).toEqual([["info", ["a again", "b again", "c"]]]);
  });

  it("notifications of a lost link do not count towards the size of a batch", async () => {
    const endpoint = recorder();
    await listen([endpoint], { batchSize: 3 });
    deliver("a");
    deliver("b").linkLost = true;
    deliver("c");
    await settled();
    expect(endpoint.seen).toEqual([]);
    deliver("b again");
    await settled();
    expect(endpoint.seen).toEqual([["info", ["a", "c", "b again"]]]);
  });

  it("a batch is not handled when the links of all its notifications are lost", async () => {
    const endpoint = recorder();
    await listen([endpoint], { batchTimeoutMs: 100 });
    deliver("a").linkLost = true;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(endpoint.seen).toEqual([]);
  });

  it("notifications whose link is lost while their batch waits are not handled", async () => {
    const held = new Deferred();
    const audited: string[] = [];
    const endpoint = recorder();
    const audit = async ([first]: readonly Notification[]) => {
      audited.push(first?.eventType ?? "");
      await held.promise;
    };
    await listen([{ ...endpoint, audit }], { batchSize: 2, concurrency: 1 });
    const messages = [deliver("a", "AUDIT"), deliver("b"), deliver("c"), deliver("d")];
    for (const message of messages.slice(1, 3)) message.linkLost = true;
    held.resolve();
    await settled();
    expect(audited).toEqual(["a"]);
    expect(endpoint.seen).toEqual([["info", ["d"]]]);
    // A message that is acknowledged is known as handled: over rabbit:// its repeat would be discarded.
    expect(messages.map(({ events }) => events)).toEqual([["acknowledge"], [], [], ["acknowledge"]]);
  });
});

describe("a batch listener", () => {
  it("stop handles the open batch, including notifications that arrive meanwhile, then detaches", async () => {
    const endpoint = recorder();
    const listener = await listen([endpoint], { batchSize: 3 });
    const withdrawn = new Deferred();
    driver.listener.withdraw = () => withdrawn.promise;
    const first = deliver("a");
    const stopped = listener.stop();
    await settled();
    const second = deliver("b");
    withdrawn.resolve();
    await stopped;
    await listener.wait();
    expect(endpoint.seen).toEqual([["info", ["a", "b"]]]);
    expect([first.events, second.events]).toEqual([["acknowledge"], ["acknowledge"]]);
    expect(driver.listener.events).toEqual(["stop", "close"]);
  });

  it("stop handles the open batch also when stopping the links fails", async () => {
    const endpoint = recorder();
    const listener = await listen([endpoint], { batchSize: 3 });
    driver.listener.withdraw = () => Promise.reject(new Error("broken"));
    deliver("a");
    await listener.stop();
    await listener.wait();
    expect(endpoint.seen).toEqual([["info", ["a"]]]);
  });

  it("a batch listener handles as many batches concurrently as its option allows, 64 by default", async () => {
    for (const [concurrency, limit] of [
      [undefined, 64],
      [2, 2],
    ] as const) {
      const held = new Deferred();
      const info = vi.fn(async () => await held.promise);
      const listener = await listen([{ info }], { batchSize: 2, concurrency });
      for (let n = 0; n < 2 * limit + 4; n++) deliver(`event ${n}`);
      await settled();
      expect(info).toHaveBeenCalledTimes(limit);
      await listener.stop();
      await expect(Promise.all([listener.wait({ timeoutMs: 1 }), vi.advanceTimersByTimeAsync(1)])).rejects.toThrow(
        `${limit + 2} batches are unfinished`,
      );
      held.resolve();
      await listener.wait();
      expect(info).toHaveBeenCalledTimes(limit + 2);
    }
  });

  it("a batch listener requests as much credit as a batch can hold", { tags: ["notify:batch:credit"] }, async () => {
    await listen([recorder()], { batchSize: 500, batchTimeoutMs: 100 });
    expect(driver.listener.options.minimumCredit).toBe(500);
    await listen([recorder()], { batchTimeoutMs: 100 });
    expect(driver.listener.options.minimumCredit).toBeUndefined();
  });

  it("a batch listener passes its pool to a driver with pools", async () => {
    driver.hasPools = true;
    await listen([recorder()], { batchSize: 5, pool: "p" });
    expect(driver.listener.options).toMatchObject({ pool: "p", minimumCredit: 5 });
  });

  it("closing the transport discards the open batch and its timer", async () => {
    const endpoint = recorder();
    await listen([endpoint], { batchSize: 2, batchTimeoutMs: 100 });
    deliver("a");
    expect(vi.getTimerCount()).toBe(1);
    await driver.listener.close();
    await settled();
    expect(vi.getTimerCount()).toBe(0);
    expect(endpoint.seen).toEqual([]);
  });

  it("a failed start discards the open batch and its timer", async () => {
    const endpoint = recorder();
    driver.attach = async (listener) => {
      listener.deliver({ body: { priority: "info" } });
      throw new Error("closed");
    };
    await expect(listen([endpoint], { batchTimeoutMs: 100 })).rejects.toThrow("closed");
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([[{}], [undefined], [{ batchSize: undefined, batchTimeoutMs: undefined }]])(
    "a batch listener throws without size and timeout: %j",
    { tags: ["notify:batch:limit"] },
    (options) => {
      const make = () =>
        getBatchNotificationListener(
          driver.notificationTransport,
          TARGETS,
          [recorder()],
          options as unknown as BatchListenerOptions,
        );
      expect(make).toThrow(ConfigurationError);
      expect(make).toThrow(/batchSize.*batchTimeoutMs/);
    },
  );

  it.each([
    ["batchSize", 0],
    ["batchSize", 1.5],
    ["batchTimeoutMs", 0],
    ["batchTimeoutMs", "5"],
    ["batch_size", 5],
    ["concurrency", 0],
    ["pool", "p"],
  ])("the batch listener option %s: %s throws an error that names it", (key, value) => {
    const options = { batchTimeoutMs: 5, [key]: value };
    const make = () => getBatchNotificationListener(driver.notificationTransport, TARGETS, [recorder()], options);
    expect(make).toThrow(expect.objectContaining({ key }));
  });

  it("a batch listener throws for invalid endpoints and targets", () => {
    const make = (targets: object[], endpoints: unknown[]) => () =>
      getBatchNotificationListener(
        driver.notificationTransport,
        targets,
        endpoints as readonly BatchNotificationEndpoint[],
        { batchSize: 1 },
      );
    expect(make(TARGETS, [{ info: "x" }])).toThrow("info of endpoint 0");
    expect(make(TARGETS, [{}])).toThrow("endpoint 0 has no method for a priority");
    expect(make([], [recorder()])).toThrow("targets");
    expect(make([{}], [recorder()])).toThrow("topic");
  });
});

describe("batches behind a router", () => {
  const ROUTER = { kind: "router", product: "skupper-router", host: "bus:5672" } as const;
  beforeEach(() => {
    driver.attach = async (listener) => {
      listener.peer = ROUTER;
    };
  });

  it.each([
    [{ batchSize: 100, batchTimeoutMs: 5_000 }, /closed when 100 have arrived or 5000 ms after the first$/],
    [{ batchSize: 100 }, /closed when 100 have arrived, however long that takes$/],
    [{ batchTimeoutMs: 5_000 }, /closed 5000 ms after the first$/],
  ])(
    "the start behind a router warns about batches of %j, with the figures",
    { tags: ["notify:batch:router"] },
    async (options, figures) => {
      await listen([recorder()], options);
      expect(driver.logger.of("warn")).toEqual([expect.stringMatching(figures)]);
      expect(driver.logger.of("warn")[0]).toContain("skupper-router at bus:5672");
    },
  );

  it("the first batch that its timeout closes behind a router is warned about, because notifiers wait", {
    tags: ["notify:batch:router"],
  }, async () => {
    await listen([recorder()], { batchSize: 2, batchTimeoutMs: 5_000 });
    for (const event of ["a", "b"]) deliver(event);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(driver.logger.of("warn")).toHaveLength(1);
    for (const event of ["c", "d"]) {
      deliver(event);
      await vi.advanceTimersByTimeAsync(5_000);
    }
    expect(driver.logger.of("warn").slice(1)).toEqual([
      "a batch of at most 2 was closed by its timeout with 1: notifiers behind the router at bus:5672 waited up to 5000 ms",
    ]);
  });

  it("batches are warned about when the peer turns out to be a router only later", async () => {
    driver.attach = async () => {};
    await listen([recorder()], { batchTimeoutMs: 100 });
    expect(driver.logger.of("warn")).toEqual([]);
    driver.listener.peer = ROUTER;
    deliver("a");
    await vi.advanceTimersByTimeAsync(100);
    expect(driver.logger.of("warn")).toEqual([expect.stringMatching(/^a batch was closed by its timeout with 1:/)]);
  });

  it.each(["broker", "unknown"] as const)("batches behind a %s are not warned about", async (kind) => {
    driver.attach = async (listener) => {
      listener.peer = { ...ROUTER, kind };
    };
    await listen([recorder()], { batchTimeoutMs: 100 });
    deliver("a");
    await vi.advanceTimersByTimeAsync(100);
    expect(driver.logger.of("warn")).toEqual([]);
  });
});

function fails(): never {
  throw new Error("out of paper");
}
