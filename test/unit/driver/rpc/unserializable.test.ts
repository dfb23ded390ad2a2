import { afterAll, describe, expect, it } from "vitest";
import { amqp } from "@/src/driver/amqp/amqp.js";
import type { RemoteError } from "@/src/driver/exceptions.js";
import { getNotificationListener } from "@/src/driver/notify/listening/listener.js";
import { Notifier } from "@/src/driver/notify/sending/notifier.js";
import { getRpcClient } from "@/src/driver/rpc/client.js";
import { getRpcServer } from "@/src/driver/rpc/server.js";
import { NotificationTransport, RPCTransport } from "@/src/driver/transport.js";
import { jsonPayloadSerializer, noOpSerializer, type Serializer } from "@/src/driver/values/serializer.js";
import { Intermediary } from "@/src/intermediary/intermediary.js";
import { memoryDial } from "@/src/transports/memory.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

const runtime = {
  drivers: [amqp] as const,
  dialers: { amqp: memoryDial(new Intermediary({ kind: "broker" }).accept) },
  identity: { node: "node", process: "program", pid: 7 },
  defaults: {},
};
const logger = new RecordingLogger();
const rpc = new RPCTransport(runtime, "amqp://here/", { logger });
const notifications = new NotificationTransport(runtime, "amqp://here/", { logger });
afterAll(() => Promise.all([rpc.close(), notifications.close()]));

/** Values that JSON cannot hold, and their form by jsonPayloadSerializer, if it has one. */
const VALUES: readonly [kind: string, value: unknown, converted?: unknown][] = [
  ["a Map", new Map([["a", 1]]), { a: 1 }],
  ["a Set", new Set(["a"]), ["a"]],
  ["a Uint8Array", new TextEncoder().encode("a"), "a"],
  ["a function", function named() {}, "<function named>"],
  ["an Error", new RangeError("no"), "RangeError: no"],
  ["a Promise", Promise.resolve(1)],
  ["an invalid Date", new Date(Number.NaN)],
  ["NaN or infinite", Number.NaN],
];

describe.each<[string, Serializer]>([
  ["noOpSerializer", noOpSerializer],
  ["jsonPayloadSerializer", jsonPayloadSerializer],
])("values that JSON cannot hold, with %s", (name, serializer) => {
  const topic = `t-${name}`;
  const client = getRpcClient(rpc, { topic }, { serializer, timeoutMs: 10_000 });
  const refused = VALUES.filter(([, , converted]) => name === "noOpSerializer" || converted === undefined);
  const sent = VALUES.filter((row) => !refused.includes(row));

  it.each(refused)("an argument that holds %s rejects the call and the cast, naming its path", async (kind, value) => {
    const message = `request.args.servers[1].created is ${kind}, which JSON cannot hold`;
    const args = { servers: [0, { created: value }] };
    await expect(client.call({}, "echo", args)).rejects.toThrow(message);
    await expect(client.cast({}, "echo", args)).rejects.toThrow(message);
  });

  it.each(VALUES)("a context that holds %s rejects the call, naming its path", async (kind, value) => {
    await expect(client.call({ user: { of: value } }, "echo")).rejects.toThrow(`context.user.of is ${kind}`);
  });

  it("a result that JSON cannot hold is a failure that names its path", async () => {
    const values = new Map(VALUES.map(([kind, value]) => [kind, value]));
    const give = (_context: object, { kind }: { kind: string }): unknown => ({ made: [values.get(kind)] });
    const server = getRpcServer(rpc, { topic, server: "s" }, [{ give }], { serializer });
    await server.start();
    for (const [kind] of refused) {
      const failure: RemoteError = await client.call({}, "give", { kind }).then(
        () => expect.unreachable(),
        (error) => error,
      );
      expect(failure).toMatchObject({
        excType: "TypeError",
        value: expect.stringContaining(`response.made[0] is ${kind}`),
      });
    }
    for (const [kind, , converted] of sent)
      expect(await client.call({}, "give", { kind })).toEqual({ made: [converted] });
    await server.stop();
    await server.wait();
  });

  it.each(["messaging", "messagingv2", "log"] as const)(
    "a payload that JSON cannot hold rejects the notification by the driver %s, naming its path",
    async (driver) => {
      const notifier = new Notifier(notifications, {
        publisherId: "p",
        topics: [topic],
        drivers: [driver],
        serializer,
      });
      for (const [kind, value] of refused)
        await expect(notifier.info({}, "e", { id: value })).rejects.toThrow(`payload.id is ${kind}`);
    },
  );

  it("a payload that the serializer converts arrives", async () => {
    const inbox = new Inbox<unknown>("payloads");
    const listener = getNotificationListener(
      notifications,
      [{ topic: `n-${name}` }],
      [{ info: (_context, _publisherId, _eventType, payload) => void inbox.put(payload) }],
    );
    await listener.start();
    const notifier = new Notifier(notifications, { publisherId: "p", topics: [`n-${name}`], serializer });
    const date = new Date(0);
    const payloads: unknown[] = [
      [date, name === "noOpSerializer" ? date.toISOString() : "1970-01-01T00:00:00.000000"],
      ...sent.map(([, value, converted]) => [value, converted]),
    ];
    for (const pair of payloads as [unknown, unknown][]) {
      await notifier.info({}, "e", { of: pair[0] });
      expect(await inbox.take("a payload", (payload) => payload)).toEqual({ of: pair[1] });
    }
    await listener.stop();
    await listener.wait();
  });
});

it.each([
  ["a Map", new Map([["a", 1]])],
  ["a Promise", Promise.resolve({})],
  ["a Uint8Array", Uint8Array.of(1)],
])("%s in the place of the arguments or the context rejects the call", async (kind, value) => {
  const client = getRpcClient(rpc, { topic: "t" });
  await expect(client.call({}, "m", value)).rejects.toThrow(`the arguments of m must be one object, not ${kind}`);
  await expect(client.call(value, "m")).rejects.toThrow(`context is ${kind}, which JSON cannot hold`);
});
