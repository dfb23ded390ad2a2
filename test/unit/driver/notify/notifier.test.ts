import { beforeEach, describe, expect, it, vi } from "vitest";
import { MessageDeliveryFailure } from "../../../../src/driver/exceptions.js";
import { PRIORITIES } from "../../../../src/driver/notify/notification.js";
import { Notifier, type NotifierOptions } from "../../../../src/driver/notify/notifier.js";
import { FakeDriver } from "../../../support/fake-driver.js";

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
  it.each(PRIORITIES)("of priority %s goes to the topic of that priority", async (priority) => {
    expect(await notifierOf()[priority]({}, "compute.create", { id: 1 })).toBeUndefined();
    expect(driver.notifications).toMatchObject([{ envelope: true, body: { priority: priority.toUpperCase() } }]);
    expect(String(driver.notifications[0]?.target)).toBe(`<Target topic=notifications.${priority}>`);
  });

  it("has oslo's members, in oslo's order and forms", async () => {
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
  ])("made at %s has the timestamp %s", async (now, timestamp) => {
    vi.useFakeTimers({ now: new Date(now) });
    try {
      await notifierOf().info({}, "e", null);
    } finally {
      vi.useRealTimers();
    }
    expect(driver.notifications[0]?.body).toMatchObject({ timestamp });
  });

  it("has an id of its own, which all its copies share", async () => {
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

  it("goes nowhere without a driver", async () => {
    await notifierOf({ drivers: [] }).info({}, "e", 1);
    expect(driver.notifications).toEqual([]);
  });

  it("without a payload has null for one", async () => {
    await notifierOf().info({}, "e", undefined);
    expect(driver.notifications[0]?.body).toHaveProperty("payload", null);
  });

  it("goes by the options of the notification and of the notifier", async () => {
    const { signal } = new AbortController();
    await notifierOf({ retry: 2 }).info({}, "e", 1, { timeoutMs: 5, signal });
    await notifierOf().info({}, "e", 1);
    expect(driver.notifications[0]).toMatchObject({ timeoutMs: 5, signal, retry: 2 });
    expect(driver.notifications[1]?.timeoutMs).toBeUndefined();
    expect(driver.notifications[1]?.retry).toBeUndefined();
  });
});

describe("the context", () => {
  it("stays here, for it may hold a token", async () => {
    await notifierOf().info({ auth_token: "secret" }, "e", 1);
    expect(driver.notifications[0]?.context).toEqual({});
  });

  it("goes along as far as sanitizeContext says, through the serializer", async () => {
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

  it("is not asked of the serializer when nothing of it goes along", async () => {
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

  it.each([[null], [undefined], ["x"]])("must be an object, not %j", async (context) => {
    await expect(notifierOf().info(context as unknown as object, "e", 1)).rejects.toThrow("context");
  });
});

describe("a failure", () => {
  it("rejects, after every topic has been tried", async () => {
    driver.take = ({ target }) => {
      if (target.topic !== "b.info") throw FAILURE;
    };
    await expect(notifierOf({ topics: ["a", "b", "c"] }).info({}, "e", 1)).rejects.toBe(FAILURE);
    expect(driver.notifications.map(({ target }) => target.topic)).toEqual(["a.info", "b.info", "c.info"]);
    expect(driver.logger.of("warn")).toEqual([expect.stringContaining("no credit")]);
  });

  it("goes to onFailure instead when there is one, whatever it is", async () => {
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
  ])("leaves nothing unhandled when onFailure %s", async (_how, onFailure) => {
    driver.take = () => {
      throw FAILURE;
    };
    await notifierOf({ onFailure }).info({}, "e", 1);
    expect(driver.logger.of("error")).toEqual([expect.stringContaining("mine")]);
  });
});

describe("prepare", () => {
  it("inherits what is absent and clears what is null", async () => {
    const notifier = notifierOf({ retry: 3, topics: ["t"] });
    const other = notifier.prepare({ publisherId: "other", retry: 0 });
    for (const each of [
      notifier.prepare({}),
      other,
      other.prepare({ publisherId: undefined }),
      other.prepare({ publisherId: null, retry: null }),
    ]) {
      await each.info({}, "e", 1);
    }
    expect(driver.notifications.map(({ body, retry }) => [Reflect.get(body, "publisher_id"), retry])).toEqual([
      ["compute.host1", 3],
      ["other", 0],
      ["other", 0],
      [null, undefined],
    ]);
    expect(driver.notifications.every(({ target }) => target.topic === "t.info")).toBe(true);
  });

  it("refuses what does not exist", () => {
    expect(() => notifierOf().prepare({ topics: ["x"] } as object)).toThrow("topics");
  });
});

it.each([
  ["publisherId", 5],
  ["publisherId", undefined],
  ["topics", "notifications"],
  ["drivers", ["log"]],
  ["retry", -2],
  ["onFailure", true],
  ["publisher_id", "x"],
])("the option %s: %j is refused by name", (key, value) => {
  expect(() => notifierOf({ [key]: value })).toThrow(expect.objectContaining({ key }));
});

it.each([0, -1, Number.NaN])("timeoutMs %s is refused by name", async (timeoutMs) => {
  await expect(notifierOf().info({}, "e", 1, { timeoutMs })).rejects.toMatchObject({ key: "timeoutMs" });
});
