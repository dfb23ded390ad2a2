import { describe, expect, it, onTestFinished } from "vitest";
import { amqp } from "@/src/driver/amqp/amqp.js";
import { getNotificationListener } from "@/src/driver/notify/listening/listener.js";
import { Notifier, type NotifierOptions } from "@/src/driver/notify/sending/notifier.js";
import { ROWS } from "@/src/driver/options/option-table.js";
import { resolveOptions } from "@/src/driver/options/options.js";
import { checkedTransportOptions, type TransportOptions } from "@/src/driver/options/transport-options.js";
import { getRpcClient } from "@/src/driver/rpc/client.js";
import { getRpcServer } from "@/src/driver/rpc/server.js";
import { Target, toTarget } from "@/src/driver/target.js";
import { NotificationTransport, RPCTransport } from "@/src/driver/transport.js";
import { Intermediary } from "@/src/intermediary/intermediary.js";
import { memoryDial } from "@/src/transports/memory.js";
import { FakeDriver } from "@/test/fixtures/fakes/fake-driver.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

/** Half a surrogate pair: UTF-8, and so AMQP, has no encoding for it. */
const HALVES = ["\ud800", "a\udfffb", `${"t".repeat(100)}\ud83d`, "\ude00\ud83d"];
/** Texts that AMQP carries, however unusual. */
const ODD = "nul\0 line\n\u0085 \u200b é 漢 😀 a/b.c#*";

describe("half a surrogate pair is refused where it is given, by name", () => {
  const driver = new FakeDriver();

  it.each(["exchange", "topic", "namespace", "version", "server"] as const)("in the %s of a target", (key) => {
    for (const text of HALVES) {
      const refused = expect.objectContaining({
        name: "InvalidTarget",
        message: expect.stringMatching(`^${key} contains half a surrogate pair:<Target`),
      });
      expect(() => new Target({ [key]: text })).toThrow(refused);
      expect(() => toTarget({ topic: "t", [key]: text })).toThrow(refused);
      expect(() => new Target({ topic: "t" }).with({ [key]: text })).toThrow(refused);
    }
  });

  it("in the target of a client, a server or a listener, before anything is sent", () => {
    const [topic] = HALVES;
    const refused = "topic contains half a surrogate pair";
    expect(() => getRpcClient(driver.rpcTransport, { topic })).toThrow(refused);
    expect(() => getRpcServer(driver.rpcTransport, { topic, server: "s" }, [])).toThrow(refused);
    expect(() => getNotificationListener(driver.notificationTransport, [{ topic }], [{ info() {} }])).toThrow(refused);
    expect(() => getRpcClient(driver.rpcTransport, { topic: "t" }).prepare({ topic })).toThrow(/^topic/);
  });

  it.each(ROWS.filter(([, { type, inCode }]) => type.text.startsWith("text") && inCode === undefined))(
    "in the option %s",
    (key, { type }) => {
      for (const text of HALVES) {
        const value = type.text === "text" ? text : [text];
        const refused = expect.objectContaining({ key, message: expect.stringContaining("half a surrogate pair") });
        expect(() => resolveOptions({ options: { [key]: value } })).toThrow(refused);
      }
    },
  );

  it.each<[key: string, give: (text: string) => unknown]>([
    ["controlExchange", (controlExchange) => checkedTransportOptions({ controlExchange })],
    ["webSocket.path", (path) => checkedTransportOptions({ webSocket: { path } })],
    ["versionCap", (versionCap) => getRpcClient(driver.rpcTransport, { topic: "t" }, { versionCap })],
    ["publisherId", (publisherId) => new Notifier(driver.notificationTransport, { publisherId })],
    ["topics", (text) => new Notifier(driver.notificationTransport, { publisherId: "p", topics: ["t", text] })],
  ])("in %s", (key, give) => {
    for (const text of HALVES) {
      const refused = { name: "ConfigurationError", key, message: expect.stringContaining("half a surrogate pair") };
      expect(() => give(text)).toThrow(expect.objectContaining(refused));
    }
  });
});

describe("texts that AMQP or JSON carries", () => {
  it("names with NUL, control characters and emoji reach a server and a listener as they were given", async () => {
    const rpc = transport(RPCTransport, { controlExchange: ODD });
    const target = { exchange: ODD, topic: ODD, namespace: ODD };
    const endpoint = { target: new Target({ namespace: ODD }), echo: (_: object, { arg }: { arg: unknown }) => arg };
    const server = getRpcServer(rpc, { ...target, server: ODD }, [endpoint]);
    await server.start();
    const client = getRpcClient(rpc, target);
    expect(await client.prepare({ server: ODD }).call({}, "echo", { arg: ODD })).toBe(ODD);
    expect(await notified({ publisherId: ODD, topics: [ODD] }, ODD, {})).toEqual([ODD, ODD, {}]);
  });

  it("JSON carries half a surrogate pair in a body: methods, arguments, results, event types, payloads", async () => {
    const rpc = transport(RPCTransport);
    const [half = ""] = HALVES;
    const endpoint = { [half]: (context: object, args: object) => ({ context, args }) };
    const server = getRpcServer(rpc, { topic: "halves", server: "s" }, [endpoint]);
    await server.start();
    const values = Object.fromEntries(HALVES.map((text) => [text, text]));
    const result = await getRpcClient(rpc, { topic: "halves" }).call(values, half, values);
    expect(result).toEqual({ context: values, args: values });
    expect(await notified({ publisherId: "p" }, half, values)).toEqual(["p", half, values]);
  });
});

/** Sends a notification over a broker. Resolves with the publisher, the event type and the payload that a listener gets. */
async function notified(options: NotifierOptions, eventType: string, payload: unknown): Promise<unknown> {
  const notifications = transport(NotificationTransport);
  const heard = new Inbox<unknown>("the listener");
  const info = (_context: object, ...seen: unknown[]): void => heard.put(seen.slice(0, 3));
  const [topic = "notifications"] = options.topics ?? [];
  const listener = getNotificationListener(notifications, [{ topic }], [{ info }]);
  await listener.start();
  await new Notifier(notifications, options).info({}, eventType, payload);
  return await heard.take("the notification", (notification) => notification);
}

function transport<T extends RPCTransport | NotificationTransport>(
  kind: new (...args: ConstructorParameters<typeof RPCTransport>) => T,
  options: TransportOptions = {},
): T {
  const dialers = { amqp: memoryDial(new Intermediary({ kind: "broker" }).accept) };
  const runtime = {
    drivers: [amqp] as const,
    dialers,
    identity: { node: "node", process: "program", pid: 7 },
    defaults: {},
  };
  const made = new kind(runtime, "amqp://h/", { logger: null, ...options });
  onTestFinished(() => made.close());
  return made;
}
