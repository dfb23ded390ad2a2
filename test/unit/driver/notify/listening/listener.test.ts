import { beforeEach, describe, expect, it, vi } from "vitest";
import { Deferred } from "@/src/core/deferred.js";
import { ConfigurationError, InvalidTarget } from "@/src/driver/exceptions.js";
import type { NotificationEndpoint } from "@/src/driver/notify/listening/dispatcher.js";
import { NotificationFilter } from "@/src/driver/notify/listening/filter.js";
import { getNotificationListener, type ListenerOptions } from "@/src/driver/notify/listening/listener.js";
import { NotificationResult } from "@/src/driver/notify/notification.js";
import { Target } from "@/src/driver/target.js";
import { FakeDriver, type FakeIncoming } from "@/test/fixtures/fakes/fake-driver.js";

let driver: FakeDriver;
beforeEach(() => {
  driver = new FakeDriver();
});

const BODY = {
  message_id: "m-1",
  publisher_id: "compute.host1",
  event_type: "compute.create",
  priority: "INFO",
  payload: { id: 1 },
  timestamp: "2026-11-23 10:53:28.419873",
};

async function listen(endpoints: readonly NotificationEndpoint[], options: ListenerOptions = {}): Promise<void> {
  await getNotificationListener(driver.notificationTransport, [{ topic: "t" }], endpoints, options).start();
}

async function outcomeOf(body: unknown, context = {}): Promise<FakeIncoming> {
  const message = driver.listener.deliver({ body, context, wantsReply: false });
  await message.settled;
  return message;
}

describe("a notification listener", () => {
  it("a listener attaches to each topic, in its exchange, for each priority that an endpoint handles", async () => {
    class Endpoint {
      warn(): void {}
      audit(): void {}
      helper(): void {}
    }
    const targets = [{ topic: "a", exchange: "e" }, new Target({ topic: "b" })];
    const listener = getNotificationListener(driver.notificationTransport, targets, [
      new Endpoint(),
      { info() {}, warn: undefined },
    ]);
    await listener.start();
    expect(driver.listener.targets.map(String)).toEqual([
      ...["a.audit", "a.info", "a.warn"].map((topic) => `<Target exchange=e, topic=${topic}>`),
      ...["b.audit", "b.info", "b.warn"].map((topic) => `<Target topic=${topic}>`),
    ]);
    await listener.stop();
    await listener.wait();
    expect(driver.listener.events).toEqual(["stop", "close"]);
  });

  it.each([[{}], [{ topic: "" }], [{ server: "s" }]])("a listener throws for the target %j without topic", (target) => {
    expect(() => getNotificationListener(driver.notificationTransport, [target], [{ info() {} }])).toThrow(
      InvalidTarget,
    );
  });

  it("a listener throws without targets, endpoints or handled priorities", () => {
    const make = (targets: object[], endpoints: object[]) => () =>
      getNotificationListener(driver.notificationTransport, targets, endpoints);
    expect(make([], [{ info() {} }])).toThrow("targets");
    expect(make([{ topic: "t" }], [])).toThrow("endpoints");
    expect(make([{ topic: "t" }], [{ info() {} }, { helper() {} }])).toThrow(
      "endpoint 1 has no method for a priority: audit, debug, info, warn, error, critical, sample",
    );
  });

  it.each([[null], ["x"], [{ info: "x" }], [{ info() {}, filterRule: { eventType: "x" } }]])(
    "a listener throws for the invalid endpoint %j",
    (endpoint) => {
      const endpoints = [endpoint as NotificationEndpoint];
      expect(() => getNotificationListener(driver.notificationTransport, [{ topic: "t" }], endpoints)).toThrow(
        TypeError,
      );
    },
  );

  it("a pool and the concurrency are passed to a driver with pools", async () => {
    driver.hasPools = true;
    await listen([{ info() {} }], { pool: "p" });
    expect(driver.listener.options).toMatchObject({ pool: "p", concurrency: 64 });
    await listen([{ info() {} }], { concurrency: 3 });
    expect(driver.listener.options).toMatchObject({ pool: undefined, concurrency: 3 });
  });

  it("a pool is refused by name for a driver without pools, and an empty name for every driver", async () => {
    const unsupported = new ConfigurationError("pool", "is only supported by RabbitMQ");
    await expect(listen([{ info() {} }], { pool: "p" })).rejects.toThrow(unsupported);
    driver.hasPools = true;
    await expect(listen([{ info() {} }], { pool: "" })).rejects.toThrow(
      new ConfigurationError("pool", "must not be empty"),
    );
  });

  it.each([
    ["allowRequeue", 1],
    ["concurrency", 0],
    ["pool", 1],
  ])("the listener option %s: %s throws an error that names it", (key, value) => {
    const make = () =>
      getNotificationListener(driver.notificationTransport, [{ topic: "t" }], [{ info() {} }], { [key]: value });
    expect(make).toThrow(expect.objectContaining({ key }));
  });
});

describe("an incoming notification", () => {
  it("a notification is passed to the method of its priority, then acknowledged", async () => {
    const done = new Deferred();
    const seen: unknown[] = [];
    class Endpoint {
      readonly name = "me";
      async info(...args: unknown[]): Promise<void> {
        seen.push(this.name, ...args);
        await done.promise;
      }
      error(): void {
        seen.push("error");
      }
    }
    await listen([new Endpoint()]);
    const message = driver.listener.deliver({ body: BODY, context: { request_id: "r" } });
    expect(message.events).toEqual([]);
    done.resolve();
    await message.settled;
    expect(message.events).toEqual(["acknowledge"]);
    const metadata = { messageId: "m-1", timestamp: "2026-11-23 10:53:28.419873" };
    expect(seen).toEqual(["me", { request_id: "r" }, "compute.host1", "compute.create", { id: 1 }, metadata]);
  });

  it("a notification is passed to the endpoints in order, until one returns requeue", async () => {
    const calls: string[] = [];
    const endpoint = (name: string, result?: NotificationResult) => ({
      info: () => {
        calls.push(name);
        return result;
      },
    });
    await listen(
      [
        endpoint("a"),
        endpoint("b", NotificationResult.HANDLED),
        { warn() {} },
        endpoint("c", "requeue"),
        endpoint("d"),
      ],
      { allowRequeue: true },
    );
    expect((await outcomeOf(BODY)).events).toEqual(["requeue"]);
    expect(calls).toEqual(["a", "b", "c"]);
  });

  it.each([
    ["returns requeue", () => NotificationResult.REQUEUE],
    ["resolves with requeue", async () => NotificationResult.REQUEUE],
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no"))],
  ])("a notification whose endpoint %s is requeued if allowed, else acknowledged", async (_how, info) => {
    await listen([{ info }], { allowRequeue: true });
    expect((await outcomeOf(BODY)).events).toEqual(["requeue"]);
    await listen([{ info }]);
    expect((await outcomeOf(BODY)).events).toEqual(["acknowledge"]);
  });

  it("an endpoint that returns requeue without allowRequeue is warned of once, with the option's name", async () => {
    await listen([{ info: () => NotificationResult.REQUEUE }]);
    for (let time = 0; time < 2; time++) await outcomeOf(BODY);
    expect(driver.logger.lines).toMatchObject([{ level: "warn", message: expect.stringContaining("allowRequeue") }]);
  });

  it("an endpoint that returns requeue with allowRequeue logs nothing", async () => {
    await listen([{ info: () => NotificationResult.REQUEUE }], { allowRequeue: true });
    await outcomeOf(BODY);
    expect(driver.logger.lines).toEqual([]);
  });

  it("the error of an endpoint is logged with its stack", async () => {
    await listen([
      {
        info() {
          throw new Error("no");
        },
      },
    ]);
    await outcomeOf(BODY);
    expect(driver.logger.lines).toMatchObject([
      { level: "error", message: expect.stringMatching(/Error: no\n +at /), fields: { eventType: "compute.create" } },
    ]);
  });

  it("a notification is passed only to endpoints whose filter matches", async () => {
    const [passing, stopping] = [vi.fn(), vi.fn()];
    await listen([
      { filterRule: new NotificationFilter({ eventType: "network" }), info: () => stopping() },
      { filterRule: new NotificationFilter({ eventType: "compute", payload: { id: "1" } }), info: () => stopping() },
      {
        filterRule: new NotificationFilter({ eventType: "compute", metadata: { messageId: "m-" } }),
        info: () => passing(),
      },
    ]);
    expect((await outcomeOf(BODY)).events).toEqual(["acknowledge"]);
    expect([passing.mock.calls.length, stopping.mock.calls.length]).toEqual([1, 0]);
  });

  it.each(["info", "Info", "INFO"])("the priority of a notification may be written %s", async (priority) => {
    const info = vi.fn();
    await listen([{ info }]);
    await outcomeOf({ ...BODY, priority });
    expect(info).toHaveBeenCalledOnce();
  });

  it.each([
    ["the body null", null],
    ["text as its body", "text"],
    ["a list as its body", []],
    ["no priority", { ...BODY, priority: undefined }],
    ["an unknown priority", { ...BODY, priority: "constructor" }],
    ["a priority that is not text", { ...BODY, priority: 5 }],
  ])("a notification with %s is acknowledged, with a warning", async (_what, body) => {
    const info = vi.fn();
    await listen([{ info }], { allowRequeue: true });
    expect((await outcomeOf(body)).events).toEqual(["acknowledge"]);
    expect(info).not.toHaveBeenCalled();
    expect(driver.logger.of("warn")).toHaveLength(1);
  });

  it("a notification whose link is lost while it waits is not handled, because it is delivered again", async () => {
    const done = new Deferred();
    const seen: string[] = [];
    const info = async (_context: object, _publisherId: string, eventType: string) => {
      seen.push(eventType);
      await done.promise;
    };
    await listen([{ info }], { concurrency: 1 });
    const [first, second, third] = ["a", "b", "c"].map((event_type) =>
      driver.listener.deliver({ body: { ...BODY, event_type }, wantsReply: false }),
    );
    if (second !== undefined) second.linkLost = true;
    done.resolve();
    await Promise.all([first?.settled, third?.settled]);
    expect(seen).toEqual(["a", "c"]);
    expect(second?.events).toEqual([]);
  });

  it("a notification of a priority without handler is acknowledged", async () => {
    await listen([{ info() {} }]);
    expect((await outcomeOf({ ...BODY, priority: "ERROR" })).events).toEqual(["acknowledge"]);
  });

  it("members of a notification that are not text are read as empty text", async () => {
    const info = vi.fn();
    await listen([{ info }]);
    await outcomeOf({ ...BODY, publisher_id: null, event_type: 5, message_id: {}, timestamp: undefined });
    expect(info).toHaveBeenCalledWith({}, "", "", { id: 1 }, { messageId: "", timestamp: "" });
  });

  it("a notification is deserialized, and requeued when the serializer fails", async () => {
    const info = vi.fn();
    const serializer = {
      serializeEntity: (_context: object, entity: unknown) => entity,
      deserializeEntity: (context: object, entity: unknown) => {
        if (entity === "bad") throw new Error("unreadable");
        return [context, entity];
      },
      serializeContext: (context: object) => context,
      deserializeContext: (context: object) => ({ from: context }),
    };
    await listen([{ info }], { serializer, allowRequeue: true });
    await outcomeOf(BODY, { user: "u" });
    const context = { from: { user: "u" } };
    expect(info.mock.calls[0]?.[0]).toEqual(context);
    expect(info.mock.calls[0]?.[3]).toEqual([context, { id: 1 }]);
    expect((await outcomeOf({ ...BODY, payload: "bad" })).events).toEqual(["requeue"]);
  });
});
