import { describe, expect, test } from "vitest";
import {
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  Notifier,
} from "@/src/entry/node.js";
import { uniqueTopic } from "@/test/fixtures/beds/bed.js";
import {
  ARTEMIS_ROUTABLE,
  type BusPlan,
  EMBEDDED_BROKER,
  EMBEDDED_ROUTER,
  RABBITMQ,
} from "@/test/fixtures/beds/bus-plan.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { recorder, type Seen } from "@/test/fixtures/stages/notification-endpoints.js";

/** One service with two message buses, as in the deployment guide: RPC through a router, notifications through a broker. */
describe.each([
  [EMBEDDED_BROKER.name, EMBEDDED_BROKER],
  [ARTEMIS_ROUTABLE.name, ARTEMIS_ROUTABLE],
  [RABBITMQ.name, RABBITMQ],
])("RPC over a router with notifications over %s", (_name, broker: BusPlan) => {
  test("a service uses a router for RPC and a broker for notifications, which keeps them for a later listener", {
    tags: ["notify:hybrid"],
  }, async () => {
    await using rpcBus = await EMBEDDED_ROUTER.start();
    await using notificationBus = await broker.start();
    const logger = new RecordingLogger();
    await using rpc = getRpcTransport(rpcBus.url("amqp"), { logger });
    await using notifications = getNotificationTransport(notificationBus.url("amqp"), { logger });
    const topic = uniqueTopic("hybrid");
    const notifier = new Notifier(notifications, { publisherId: "compute.host1", topics: [topic] });
    const endpoint = {
      async create(_context: object, { id }: { id: number }) {
        await notifier.info({}, "instance.create", { id });
        return id;
      },
    };
    await getRpcServer(rpc, { topic, server: "a" }, [endpoint]).start();
    expect(await getRpcClient(rpc, { topic }).call({}, "create", { id: 5 })).toBe(5);
    const seen = new Inbox<Seen>("the listener");
    await getNotificationListener(notifications, [{ topic }], [recorder(seen)]).start();
    expect(await seen.take("the notification", (seen) => seen)).toMatchObject({
      eventType: "instance.create",
      payload: { id: 5 },
    });
    expect(rpc.state).toMatchObject({ type: "connected", product: "oslo-messaging-router" });
    expect(notifications.state).not.toMatchObject({ product: "oslo-messaging-router" });
    expect(logger.of("warn")).toEqual([]); // no warning about a router: it carries no notification
  });
});
