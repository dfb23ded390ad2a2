import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
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
import { Deferred } from "@/test/fixtures/stages/deferred.js";

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

/** An endpoint that keeps the event types of every batch, by priority. */
function recorder(result?: NotificationResult): BatchNotificationEndpoint & { readonly seen: [string, string[]][] } {
  const seen: [string, string[]][] = [];
  const handler = (priority: string) => (notifications: readonly Notification[]) => {
    seen.push([priority, notifications.map(({ eventType }) => eventType)]);
    return result;
  };
  return { seen, info: handler("info"), error: handler("error"), audit: handler("audit"), warn: handler("warn") };
}

/** Everything that can happen now has happened. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("a batch", () => {
  it("is handled when it is full, and acknowledged as a whole", async () => {
    const endpoint = recorder();
    await listen([endpoint], { batchSize: 3 });
    const messages = ["a", "b", "c", "d"].map((event) => deliver(event));
    await messages[2]?.settled;
    expect(endpoint.seen).toEqual([["info", ["a", "b", "c"]]]);
    expect(messages.map(({ events }) => events)).toEqual([["acknowledge"], ["acknowledge"], ["acknowledge"], []]);
  });

  it("is handled some time after its first notification, though it is not full", {
    tags: ["notify:batch:first"],
  }, async () => {
    const endpoint = recorder();
    await listen([endpoint], { batchSize: 3, batchTimeoutMs: 100 });
    await vi.advanceTimersByTimeAsync(1_000); // waiting for the first takes no time of it
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

  it("that was full leaves the next one its whole time", { tags: ["notify:batch:first"] }, async () => {
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

  it("without a size takes all that come in its time", async () => {
    const endpoint = recorder();
    await listen([endpoint], { batchTimeoutMs: 100 });
    const events = Array.from({ length: 300 }, (_, index) => `event ${index}`);
    for (const event of events) deliver(event);
    await vi.advanceTimersByTimeAsync(100);
    expect(endpoint.seen).toEqual([["info", events]]);
  });

  it("that is empty is handled by nobody", async () => {
    const endpoint = recorder();
    const listener = await listen([endpoint], { batchSize: 3, batchTimeoutMs: 100 });
    await vi.advanceTimersByTimeAsync(1_000);
    await listener.stop();
    await listener.wait();
    expect(endpoint.seen).toEqual([]);
  });

  it("gives its endpoints all that a notification says", async () => {
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

  it("of several priorities is gone through priority by priority, in the order of their names, as they came within each", async () => {
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

  it("comes to an endpoint as far as its filter lets it, and not at all when that is nothing", async () => {
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
    ["an answer", () => NotificationResult.REQUEUE],
    ["a later answer", async () => NotificationResult.REQUEUE],
    ["a throw", fails],
    ["a rejection", async () => fails()],
  ])(
    "is requeued by %s: all of the priority, also what the filter held back, and none of another",
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

  it("is acknowledged all the same when requeueing is not allowed, and the failure is logged", async () => {
    await listen([{ info: fails }], { batchSize: 2 });
    const messages = [deliver("a"), deliver("b")];
    await messages[1]?.settled;
    expect(messages.map(({ events }) => events)).toEqual([["acknowledge"], ["acknowledge"]]);
    expect(driver.logger.lines).toMatchObject([
      { level: "error", message: expect.stringContaining("out of paper"), fields: { priority: "info", count: 2 } },
    ]);
  });

  it("settles and logs what is no notification, and handles the rest", async () => {
    const endpoint = recorder();
    await listen([endpoint], { batchSize: 4, allowRequeue: true });
    const bad = [
      driver.listener.deliver({ body: "text" }),
      deliver("a", "constructor"),
      driver.listener.deliver({ body: null }),
    ];
    await deliver("b").settled;
    expect(bad.map(({ events }) => events)).toEqual([["acknowledge"], ["acknowledge"], ["acknowledge"]]);
    expect(driver.logger.of("warn")).toHaveLength(3);
    expect(endpoint.seen).toEqual([["info", ["b"]]]);
  });

  it("requeues alone what the serializer fails on", async () => {
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

describe("a batch whose connection goes", () => {
  it("begins anew with what comes after that, with its whole size and time", async () => {
    const endpoint = recorder();
    await listen([endpoint], { batchSize: 3, batchTimeoutMs: 100 });
    for (const event of ["a", "b"]) deliver(event).linkLost = true;
    await vi.advanceTimersByTimeAsync(80);
    for (const event of ["a again", "b again"]) deliver(event);
    await vi.advanceTimersByTimeAsync(99);
    expect(endpoint.seen).toEqual([]);
    deliver("c");
    await quiet();
    expect(endpoint.seen).toEqual([["info", ["a again", "b again", "c"]]]);
  });

  it("is not full of what is gone: one link of several", async () => {
    const endpoint = recorder();
    await listen([endpoint], { batchSize: 3 });
    deliver("a");
    deliver("b").linkLost = true;
    deliver("c");
    await quiet();
    expect(endpoint.seen).toEqual([]);
    deliver("b again");
    await quiet();
    expect(endpoint.seen).toEqual([["info", ["a", "c", "b again"]]]);
  });

  it("is not handled when all of it is gone at its end", async () => {
    const endpoint = recorder();
    await listen([endpoint], { batchTimeoutMs: 100 });
    deliver("a").linkLost = true;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(endpoint.seen).toEqual([]);
  });

  it("while it waits for a slot, or while another priority is handled, is handled no more", async () => {
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
    await quiet();
    expect(audited).toEqual(["a"]);
    expect(endpoint.seen).toEqual([["info", ["d"]]]);
  });
});

describe("a batch listener", () => {
  it("handles the batch that has begun when it is stopped, also what comes meanwhile, then detaches", async () => {
    const endpoint = recorder();
    const listener = await listen([endpoint], { batchSize: 3 });
    const withdrawn = new Deferred();
    driver.listener.withdraw = () => withdrawn.promise;
    const first = deliver("a");
    const stopped = listener.stop();
    await quiet();
    const second = deliver("b");
    withdrawn.resolve();
    await stopped;
    await listener.wait();
    expect(endpoint.seen).toEqual([["info", ["a", "b"]]]);
    expect([first.events, second.events]).toEqual([["acknowledge"], ["acknowledge"]]);
    expect(driver.listener.events).toEqual(["stop", "close"]);
  });

  it("handles it also when the links do not stop in order", async () => {
    const endpoint = recorder();
    const listener = await listen([endpoint], { batchSize: 3 });
    driver.listener.withdraw = () => Promise.reject(new Error("broken"));
    deliver("a");
    await listener.stop();
    await listener.wait();
    expect(endpoint.seen).toEqual([["info", ["a"]]]);
  });

  it("handles so many batches side by side, 64 unless told", async () => {
    for (const [concurrency, slots] of [
      [undefined, 64],
      [2, 2],
    ] as const) {
      const held = new Deferred();
      const info = vi.fn(async () => await held.promise);
      const listener = await listen([{ info }], { batchSize: 2, concurrency });
      for (let n = 0; n < 2 * slots + 4; n++) deliver(`event ${n}`);
      await quiet();
      expect(info).toHaveBeenCalledTimes(slots);
      await listener.stop();
      await expect(Promise.all([listener.wait({ timeoutMs: 1 }), vi.advanceTimersByTimeAsync(1)])).rejects.toThrow(
        `${slots + 2} batches are unfinished`,
      );
      held.resolve();
      await listener.wait();
      expect(info).toHaveBeenCalledTimes(slots + 2);
    }
  });

  it("wants as much credit as a batch can hold", { tags: ["notify:batch:credit"] }, async () => {
    await listen([recorder()], { batchSize: 500, batchTimeoutMs: 100 });
    expect(driver.listener.options.minimumCredit).toBe(500);
    await listen([recorder()], { batchTimeoutMs: 100 });
    expect(driver.listener.options.minimumCredit).toBeUndefined();
  });

  it("whose transport is closed leaves no batch behind, and no timer", async () => {
    const endpoint = recorder();
    await listen([endpoint], { batchSize: 2, batchTimeoutMs: 100 });
    deliver("a");
    expect(vi.getTimerCount()).toBe(1);
    await driver.listener.close();
    await quiet();
    expect(vi.getTimerCount()).toBe(0);
    expect(endpoint.seen).toEqual([]);
  });

  it("whose start fails leaves no batch behind", async () => {
    const endpoint = recorder();
    driver.attach = async (listener) => {
      listener.deliver({ body: { priority: "info" } });
      throw new Error("closed");
    };
    await expect(listen([endpoint], { batchTimeoutMs: 100 })).rejects.toThrow("closed");
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([[{}], [undefined], [{ batchSize: undefined, batchTimeoutMs: undefined }]])(
    "needs a size or a timeout, not %j",
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
  ])("refuses the option %s: %s by name", (key, value) => {
    const options = { batchTimeoutMs: 5, [key]: value };
    const make = () => getBatchNotificationListener(driver.notificationTransport, TARGETS, [recorder()], options);
    expect(make).toThrow(expect.objectContaining({ key }));
  });

  it("refuses endpoints and targets that are none", () => {
    const make = (targets: object[], endpoints: unknown[]) => () =>
      getBatchNotificationListener(
        driver.notificationTransport,
        targets,
        endpoints as readonly BatchNotificationEndpoint[],
        { batchSize: 1 },
      );
    expect(make(TARGETS, [{ info: "x" }])).toThrow("info of endpoint 0");
    expect(make(TARGETS, [{}])).toThrow("endpoints");
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
    [{ batchSize: 100, batchTimeoutMs: 5_000 }, /closed when 100 have come or 5000 ms after its first one$/],
    [{ batchSize: 100 }, /closed when 100 have come, however long that takes$/],
    [{ batchTimeoutMs: 5_000 }, /closed 5000 ms after its first one$/],
  ])(
    "of %j are warned about at the start, with the figures",
    { tags: ["notify:batch:router"] },
    async (options, figures) => {
      await listen([recorder()], options);
      expect(driver.logger.of("warn")).toEqual([expect.stringMatching(figures)]);
      expect(driver.logger.of("warn")[0]).toContain("skupper-router at bus:5672");
    },
  );

  it("that their timeout closes are warned about once: somebody waits for them", {
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
      "a batch of at most 2 was closed by its timeout with 1: through the router at bus:5672 those who sent them have waited for up to 5000 ms",
    ]);
  });

  it("that turns out to be one only later are warned about then", async () => {
    driver.attach = async () => {};
    await listen([recorder()], { batchTimeoutMs: 100 });
    expect(driver.logger.of("warn")).toEqual([]);
    driver.listener.peer = ROUTER;
    deliver("a");
    await vi.advanceTimersByTimeAsync(100);
    expect(driver.logger.of("warn")).toEqual([expect.stringMatching(/^a batch was closed by its timeout with 1:/)]);
  });

  it.each(["broker", "unknown"] as const)("is what they are not: behind a %s they are as usual", async (kind) => {
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
