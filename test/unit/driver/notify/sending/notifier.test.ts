import { beforeEach, describe, expect, it, vi } from "vitest";
import { MessageDeliveryFailure } from "@/src/driver/exceptions.js";
import { PRIORITIES } from "@/src/driver/notify/notification.js";
import { Notifier, type NotifierOptions } from "@/src/driver/notify/sending/notifier.js";
import { TestDriver } from "@/src/driver/notify/sending/test-driver.js";
import { FakeDriver } from "@/test/fixtures/fakes/fake-driver.js";

let driver: FakeDriver;
beforeEach(() => {
  driver = new FakeDriver();
});

const notifierOf = (options: Partial<NotifierOptions> = {}) =>
  new Notifier(driver.notificationTransport, { publisherId: "compute.host1", ...options });

const FAILURE = new MessageDeliveryFailure({
  operation: "Notify",
  target: "t",
  phase: "credit",
  address: "a",
  host: "h",
  elapsedMs: 1,
  outcome: "unsent",
  reason: "no credit",
});

describe("a notification", () => {
  it.each(PRIORITIES)(
    "a notification of priority %s is sent to the topic of that priority",
    { tags: ["notify:drivers:default"] },
    async (priority) => {
      expect(await notifierOf()[priority]({}, "compute.create", { id: 1 })).toBeUndefined();
      expect(driver.notifications).toMatchObject([{ envelope: true, body: { priority: priority.toUpperCase() } }]);
      expect(String(driver.notifications[0]?.target)).toBe(`<Target topic=notifications.${priority}>`);
    },
  );

  it("a notification has oslo's members, in oslo's order and format", async () => {
    await notifierOf().info({}, "compute.create", { id: 1, s: "é" });
    const body = driver.notifications[0]?.body;
    expect(Object.keys(body ?? {})).toEqual([
      "message_id",
      "publisher_id",
      "event_type",
      "priority",
      "payload",
      "timestamp",
    ]);
    expect(body).toEqual({
      message_id: expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/),
      publisher_id: "compute.host1",
      event_type: "compute.create",
      priority: "INFO",
      payload: { id: 1, s: "é" },
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?$/),
    });
  });

  it.each([
    ["2026-11-23T10:53:28.419Z", "2026-11-23 10:53:28.419000"],
    ["2026-11-23T10:53:28.000Z", "2026-11-23 10:53:28"],
    ["2026-01-02T00:00:00.001Z", "2026-01-02 00:00:00.001000"],
  ])("a notification made at %s has the timestamp %s", async (now, timestamp) => {
    vi.useFakeTimers({ now: new Date(now) });
    try {
      await notifierOf().info({}, "e", null);
    } finally {
      vi.useRealTimers();
    }
    expect(driver.notifications[0]?.body).toMatchObject({ timestamp });
  });

  it("each notification has its own id, which all its copies share", async () => {
    const notifier = notifierOf({ topics: ["a", "b"], drivers: ["messaging", "messagingv2"] });
    await notifier.warn({}, "e", 1);
    await notifier.warn({}, "e", 1);
    expect(driver.notifications.map(({ target, envelope }) => [target.topic, envelope])).toEqual(
      [1, 2].flatMap(() => [
        ["a.warn", false],
        ["b.warn", false],
        ["a.warn", true],
        ["b.warn", true],
      ]),
    );
    const ids = driver.notifications.map(({ body }) => Reflect.get(body, "message_id"));
    expect([new Set(ids).size, new Set(ids.slice(0, 4)).size]).toEqual([2, 1]);
  });

  it("a notifier without drivers sends nothing", async () => {
    await notifierOf({ drivers: [] }).info({}, "e", 1);
    expect(driver.notifications).toEqual([]);
  });

  it("a notification without payload has the payload null", async () => {
    await notifierOf().info({}, "e", undefined);
    expect(driver.notifications[0]?.body).toHaveProperty("payload", null);
  });

  it("the options of the notification and of the notifier are passed to the driver", async () => {
    const { signal } = new AbortController();
    await notifierOf({ retry: 2 }).info({}, "e", 1, { timeoutMs: 5, signal });
    await notifierOf().info({}, "e", 1);
    expect(driver.notifications[0]).toMatchObject({ timeoutMs: 5, signal, retry: 2 });
    expect(driver.notifications[1]?.timeoutMs).toBeUndefined();
    expect(driver.notifications[1]?.retry).toBeUndefined();
  });
});

describe("the context of a notification", () => {
  it("the context is not sent by default, because it may hold a token", async () => {
    await notifierOf().info({ auth_token: "secret" }, "e", 1);
    expect(driver.notifications[0]?.context).toEqual({});
  });

  it("the result of sanitizeContext is serialized and sent as the context", async () => {
    const serializer = {
      serializeEntity: (context: { user: string }, entity: unknown) => `${context.user}>${entity}`,
      deserializeEntity: (_context: object, entity: unknown) => entity,
      serializeContext: ({ user }: { user: string }) => ({ who: user }),
      deserializeContext: () => ({ user: "" }),
    };
    const notifier = new Notifier<{ user: string }>(driver.notificationTransport, {
      publisherId: "p",
      serializer,
      sanitizeContext: ({ user }) => ({ user: user.toUpperCase() }),
    });
    await notifier.info({ user: "me" }, "e", 1);
    expect(driver.notifications[0]).toMatchObject({ context: { who: "ME" }, body: { payload: "me>1" } });
  });

  it("the serializer is not called for the context without sanitizeContext", async () => {
    const serializer = {
      serializeEntity: (_context: object, entity: unknown) => entity,
      deserializeEntity: (_context: object, entity: unknown) => entity,
      serializeContext: () => {
        throw new Error("no context");
      },
      deserializeContext: (context: object) => context,
    };
    await notifierOf({ serializer }).info({}, "e", 1);
    expect(driver.notifications[0]?.context).toEqual({});
  });

  it.each([[null], [undefined], ["x"]])("a context that is %j rejects", async (context) => {
    await expect(notifierOf().info(context as unknown as object, "e", 1)).rejects.toThrow("context");
  });
});

describe("a failed notification", () => {
  it("a failed notification rejects after every topic has been tried", async () => {
    driver.take = ({ target }) => {
      if (target.topic !== "b.info") throw FAILURE;
    };
    await expect(notifierOf({ topics: ["a", "b", "c"] }).info({}, "e", 1)).rejects.toBe(FAILURE);
    expect(driver.notifications.map(({ target }) => target.topic)).toEqual(["a.info", "b.info", "c.info"]);
    expect(driver.logger.of("warn")).toEqual([expect.stringContaining("no credit")]);
  });

  it("onFailure receives every error, and the promise resolves", async () => {
    const failures: Error[] = [];
    const notifier = notifierOf({
      onFailure: (error) => {
        failures.push(error);
      },
    });
    driver.take = () => {
      throw FAILURE;
    };
    await notifier.info({}, "e", 1);
    await notifier.info({}, "e", 1, { timeoutMs: 0 });
    driver.take = () => {
      throw "text";
    };
    await notifier.info({}, "e", 1);
    expect(failures).toMatchObject([FAILURE, { key: "timeoutMs" }, { message: "text" }]);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("mine");
      },
    ],
    [
      "rejects",
      async () => {
        throw new Error("mine");
      },
    ],
  ])("an error is logged, and no rejection is unhandled, when onFailure %s", async (_how, onFailure) => {
    driver.take = () => {
      throw FAILURE;
    };
    await notifierOf({ onFailure }).info({}, "e", 1);
    expect(driver.logger.of("error")).toEqual([expect.stringContaining("mine")]);
  });
});

describe("prepare of a notifier", () => {
  it("prepare inherits omitted keys and clears those that are null", async () => {
    const notifier = notifierOf({ retry: 3, topics: ["t"] });
    const other = notifier.prepare({ publisherId: "other", retry: 0 });
    for (const prepared of [
      notifier.prepare({}),
      other,
      other.prepare({ publisherId: undefined }),
      other.prepare({ publisherId: null, retry: null }),
    ]) {
      await prepared.info({}, "e", 1);
    }
    expect(driver.notifications.map(({ body, retry }) => [Reflect.get(body, "publisher_id"), retry])).toEqual([
      ["compute.host1", 3],
      ["other", 0],
      ["other", 0],
      [null, undefined],
    ]);
    expect(driver.notifications.every(({ target }) => target.topic === "t.info")).toBe(true);
  });

  it("prepare throws for an unknown key", () => {
    expect(() => notifierOf().prepare({ topics: ["x"] } as object)).toThrow("topics");
  });
});

describe("notification drivers", () => {
  it("the driver noop sends nothing", { tags: ["notify:drivers"] }, async () => {
    await notifierOf({ drivers: ["noop"] }).info({}, "e", 1);
    expect([driver.notifications, driver.logger.lines]).toEqual([[], []]);
  });

  it.each([
    ["debug", "debug"],
    ["info", "info"],
    ["warn", "warn"],
    ["error", "error"],
    ["critical", "error"],
  ] as const)(
    "the driver log writes %s at the level %s, with passwords masked",
    { tags: ["notify:drivers"] },
    async (priority, level) => {
      const payload = { user: "joe", password: "s3cret", list: [{ token: "s3cret" }], big: 2n ** 60n };
      await notifierOf({ drivers: ["log"] })[priority]({}, "compute.create", payload);
      expect(driver.notifications).toEqual([]);
      const [line] = driver.logger.lines;
      expect(line).toMatchObject({ level, fields: undefined });
      expect(line?.message).toMatch(/^oslo\.messaging\.notification\.compute\.create \{"message_id":"[-0-9a-f]{36}",/);
      expect(line?.message).toContain(`"priority":"${priority.toUpperCase()}"`);
      expect(line?.message).toContain(
        '"payload":{"user":"joe","password":"***","list":[{"token":"***"}],"big":1152921504606846976}',
      );
    },
  );

  it("the driver log masks passwords in the result of toJSON", async () => {
    await notifierOf({ drivers: ["log"] }).info({}, "e", { toJSON: () => ({ secret: "s3cret" }), at: new Date(0) });
    expect(driver.logger.of("info")).toEqual([expect.stringContaining('"payload":{"secret":"***"}')]);
  });

  it.each(["audit", "sample"] as const)(
    "the driver log warns, without the payload, that the logger has no level %s",
    async (priority) => {
      await notifierOf({ drivers: ["log"] })[priority]({}, "e", { a: "payload" });
      expect(driver.logger.lines).toMatchObject([
        {
          level: "warn",
          message: `oslo.messaging.notification.e is not logged: the logger has no level for priority "${priority}"`,
        },
      ]);
    },
  );

  it("the driver log rejects a payload that JSON cannot represent", async () => {
    await expect(notifierOf({ drivers: ["log"] }).info({}, "e", { a: Number.NaN })).rejects.toThrow("payload.a");
  });

  it("the driver test records notifications, also of prepared notifiers, until it is reset", {
    tags: ["notify:drivers"],
  }, async () => {
    const testDriver = new TestDriver();
    const notifier = notifierOf({ drivers: ["test"], testDriver, retry: 2, sanitizeContext: () => ({ user: "u" }) });
    await notifier.info({ token: "t" }, "first", { id: 1 });
    const { notifications } = testDriver;
    await notifier.prepare({ publisherId: "other", retry: 0 }).critical({}, "second", null);
    expect(notifications).toMatchObject([
      {
        context: { user: "u" },
        message: { event_type: "first", publisher_id: "compute.host1", priority: "INFO", payload: { id: 1 } },
        priority: "INFO",
        retry: 2,
      },
      { message: { event_type: "second", publisher_id: "other" }, priority: "CRITICAL", retry: 0 },
    ]);
    testDriver.reset();
    await notifier.info({}, "third", null);
    expect([notifications.length, testDriver.notifications.length, driver.notifications.length]).toEqual([2, 1, 0]);
  });

  it("the driver routing sends a notification by the drivers that its rules select", {
    tags: ["notify:drivers"],
  }, async () => {
    const testDriver = new TestDriver();
    const routing = {
      bus: { messaging: { accepted_events: ["compute.*"] }, messagingv2: { accepted_priorities: ["Error"] } },
      here: { log: { accepted_events: ["*.create"] }, test: null, noop: null, routing: null },
    };
    const notifier = notifierOf({ drivers: ["routing"], routing, testDriver, topics: ["a", "b"], retry: 3 });
    await notifier.error({}, "compute.create", 1);
    await notifier.info({}, "network.delete", 1);
    expect(driver.notifications.map(({ target, envelope, retry }) => [target.topic, envelope, retry])).toEqual([
      ["a.error", false, 3],
      ["b.error", false, 3],
      ["a.error", true, 3],
      ["b.error", true, 3],
    ]);
    expect(driver.logger.of("error")).toHaveLength(1);
    expect(testDriver.notifications.map(({ message }) => message.event_type)).toEqual([
      "compute.create",
      "network.delete",
    ]);
    expect(driver.logger.lines.at(-1)?.fields).toEqual({ eventType: "network.delete", driver: "noop" });
  });

  it("the driver routing works beside other drivers and rejects with their error", async () => {
    driver.take = (request) => {
      if ("envelope" in request && !request.envelope) throw FAILURE;
    };
    const routing = { group: { messaging: {} } } as const;
    await expect(notifierOf({ drivers: ["messagingv2", "routing"], routing }).info({}, "e", 1)).rejects.toBe(FAILURE);
    expect(driver.notifications).toHaveLength(2);
  });

  it.each([
    ["test", "testDriver"],
    ["routing", "routing"],
  ] as const)("the driver %s requires the option %s", (name, key) => {
    expect(() => notifierOf({ drivers: [name] })).toThrow(expect.objectContaining({ key }));
  });
});

it.each([
  [undefined, true],
  [[], true],
  [["noop"], false],
  [["noop", "noop"], true],
  [["noop", "log"], true],
  [["messaging"], true],
] as const)("isEnabled with the drivers %j is %s", { tags: ["notify:enabled"] }, (drivers, enabled) => {
  expect(notifierOf({ drivers }).isEnabled()).toBe(enabled);
  expect(notifierOf({ drivers }).prepare({ retry: 1 }).isEnabled()).toBe(enabled);
});

it.each([
  ["publisherId", 5],
  ["publisherId", undefined],
  ["topics", "notifications"],
  ["drivers", ["smtp"]],
  ["routing", "routing.yaml"],
  ["testDriver", []],
  ["retry", -2],
  ["onFailure", true],
  ["publisher_id", "x"],
])("the notifier option %s: %j throws an error that names it", (key, value) => {
  expect(() => notifierOf({ [key]: value })).toThrow(expect.objectContaining({ key }));
});

it.each([0, -1, Number.NaN])(
  "timeoutMs %s of a notification rejects with an error that names it",
  async (timeoutMs) => {
    await expect(notifierOf().info({}, "e", 1, { timeoutMs })).rejects.toMatchObject({ key: "timeoutMs" });
  },
);
