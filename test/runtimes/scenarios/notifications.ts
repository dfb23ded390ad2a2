import { assert } from "chai";
import type { Notification, NotificationEndpoint, NotificationMetadata, NotifierOptions } from "oslo-messaging";
import type { PythonNotification } from "@/test/fixtures/python/python.js";
import type { Scenario } from "@/test/fixtures/runtimes/scenario.js";
import type { ScenarioStage } from "@/test/fixtures/runtimes/scenario-stage.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

const DRIVERS = ["messaging", "messagingv2"] as const;
const PRIORITIES = ["audit", "debug", "info", "warn", "error", "critical", "sample"] as const;
const PAYLOAD = { text: "héllo", list: [1, null, { a: true }] };
const CONTEXT = { request_id: "req-1", auth_token: "s3cret" };
/** Part of the context that Python sends, and ours with `sanitizeContext`. */
const SANITIZED = { request_id: "req-1" };
/** Timestamps of Python and of this library. */
const TIMESTAMP = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?$/;
const UUID = /^[-0-9a-f]{36}$/;

/** A notification that a router returns is sent again by its notifier after this time. */
const SOON = { amqp: { linkRetryDelayMs: 1_000 } };

interface Seen {
  readonly priority: string;
  readonly context: object;
  readonly publisherId: string;
  readonly eventType: string;
  readonly payload: unknown;
  readonly metadata: NotificationMetadata;
}

export const NOTIFICATIONS: readonly Scenario[] = [
  {
    name: "notifications of every priority reach Python's method of that name, by both drivers",
    async run(stage) {
      for (const driver of DRIVERS) {
        const notifier = notifierOf(stage, { drivers: [driver] });
        for (const priority of PRIORITIES) {
          const eventType = `${stage.topic} ${driver} ${priority}`;
          await notifier[priority]({}, eventType, PAYLOAD);
          const { metadata, ...seen } = await stage.ask("pythonSaw", { eventType });
          const context = stage.setting.addedByPython;
          assert.deepEqual(seen, { priority, context, publisherId: "here.host1", eventType, payload: PAYLOAD });
          assert.match(metadata.message_id, UUID);
          assert.match(metadata.timestamp, TIMESTAMP);
        }
      }
    },
  },
  {
    name: "Python's notifications of every priority reach the method of that name, by both drivers",
    async run(stage) {
      const inbox = new Inbox<Seen>("the listener");
      await stage.listen([recorder(inbox)]);
      for (const driver of DRIVERS) {
        for (const priority of PRIORITIES) {
          const eventType = `${driver} ${priority}`;
          await notifyByPython(stage, { driver, priority, eventType, context: CONTEXT });
          const { metadata, ...seen } = await inbox.take(eventType, (seen) => seen);
          const publisherId = "python.host1";
          assert.deepEqual(seen, { priority, context: SANITIZED, publisherId, eventType, payload: PAYLOAD });
          assert.match(metadata.messageId, UUID);
          assert.match(metadata.timestamp, TIMESTAMP);
        }
      }
    },
  },
  {
    name: "filters on publisher, event type and payload select Python's notifications for an endpoint",
    async run(stage) {
      const { NotificationFilter } = stage.oslo;
      const byRule = new Map(["publisherId", "eventType", "payload", "all"].map((rule) => [rule, [] as string[]]));
      const all = new Inbox<Seen>("the listener");
      const keep = (rule: string): NotificationEndpoint => ({
        info: (_context: object, _publisherId: string, eventType: string) => void byRule.get(rule)?.push(eventType),
      });
      await stage.listen([
        { ...keep("publisherId"), filterRule: new NotificationFilter({ publisherId: "compute\\." }) },
        { ...keep("eventType"), filterRule: new NotificationFilter({ eventType: "^[^.]+\\.create$" }) },
        { ...keep("payload"), filterRule: new NotificationFilter({ payload: { size: "(?i)LARGE" } }) },
        { ...keep("all") },
        recorder(all),
      ]);
      await notifyByPython(stage, {
        publisherId: "compute.host1",
        eventType: "server.create",
        payload: { size: "small" },
      });
      await notifyByPython(stage, {
        publisherId: "network.host1",
        eventType: "port.create",
        payload: { size: "large" },
      });
      await notifyByPython(stage, { publisherId: "compute.host2", eventType: "server.delete", payload: {} });
      for (const count of [1, 2, 3]) await all.take(`${count} of 3`, (seen) => seen);
      assert.sameMembers(byRule.get("publisherId") ?? [], ["server.create", "server.delete"]);
      assert.sameMembers(byRule.get("eventType") ?? [], ["server.create", "port.create"]);
      assert.sameMembers(byRule.get("payload") ?? [], ["port.create"]);
      assert.sameMembers(byRule.get("all") ?? [], ["server.create", "port.create", "server.delete"]);
    },
  },
  {
    name: "a requeued notification is delivered again, from Python and to Python",
    async run(stage) {
      const inbox = new Inbox<Seen>("the listener");
      const eventType = `${stage.topic} requeued`;
      await stage.listen([recorder(inbox, stage.oslo.NotificationResult.REQUEUE)], { allowRequeue: true });
      const toPython = async () => {
        await notifierOf(stage).info({}, eventType, { requeue: true });
        const first = await stage.ask("pythonSaw", { eventType });
        assert.deepEqual(await stage.ask("pythonSaw", { eventType }), first);
      };
      const fromPython = async () => {
        await notifyByPython(stage, { eventType });
        const first = await inbox.take("the first time", (seen) => seen);
        assert.deepEqual(await inbox.take("the second time", (seen) => seen), first);
      };
      await Promise.all([toPython(), fromPython()]);
    },
  },
  {
    name: "a batch listener gets notifications in batches by size or by time, in order",
    async run(stage) {
      const batches = new Inbox<string>("the listener");
      const info = (notifications: readonly Notification[]) =>
        batches.put(notifications.map(({ eventType }) => eventType).join(" "));
      const transport = stage.notificationTransport();
      const limits = { batchSize: 3, batchTimeoutMs: 500 };
      const targets = [{ topic: stage.topic }];
      await stage.oslo.getBatchNotificationListener(transport, targets, [{ info }], limits).start();
      const notifier = notifierOf(stage, { topics: [stage.topic] });
      await Promise.all(["a", "b", "c", "d", "e"].map((eventType) => notifier.info({}, eventType, {})));
      for (const batch of ["a b c", "d e"]) assert.equal(await batches.take(batch, (batch) => batch), batch);
    },
  },
  {
    name: "only the sanitized context of a notification reaches Python",
    async run(stage) {
      const eventType = `${stage.topic} sanitized`;
      await notifierOf(stage).info(CONTEXT, eventType, {});
      const { addedByPython } = stage.setting;
      assert.deepEqual((await stage.ask("pythonSaw", { eventType })).context, addedByPython);
      const sanitizeContext = (context: object) => ({ request_id: Reflect.get(context, "request_id") });
      await notifierOf(stage, { sanitizeContext }).info(CONTEXT, eventType, {});
      assert.deepEqual((await stage.ask("pythonSaw", { eventType })).context, { ...SANITIZED, ...addedByPython });
    },
  },
];

/** For the topic of Python's listener by default. */
function notifierOf(stage: ScenarioStage, options?: Partial<NotifierOptions>) {
  const { oslo, setting } = stage;
  const topics = [setting.pythonNotifications];
  return new oslo.Notifier(stage.notificationTransport(SOON), { publisherId: "here.host1", topics, ...options });
}

/** To the stage's topic. */
async function notifyByPython(stage: ScenarioStage, notification: Partial<PythonNotification>): Promise<void> {
  await stage.ask("pythonNotify", {
    driver: "messagingv2",
    topic: stage.topic,
    priority: "info",
    publisherId: "python.host1",
    eventType: "event",
    payload: PAYLOAD,
    ...notification,
  });
}

/** An endpoint for all priorities. Its first results are `answers`. */
function recorder(inbox: Inbox<Seen>, ...answers: ("handled" | "requeue")[]): NotificationEndpoint {
  const methods = PRIORITIES.map((priority) => {
    const method = (
      context: object,
      publisherId: string,
      eventType: string,
      payload: unknown,
      metadata: NotificationMetadata,
    ) => {
      inbox.put({ priority, context, publisherId, eventType, payload, metadata });
      return answers.shift();
    };
    return [priority, method];
  });
  return Object.fromEntries(methods);
}
