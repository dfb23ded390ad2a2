import { execFile } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import type { Dial } from "@/src/core/byte-stream.js";
import * as first from "@/src/entry/node.js";
import { Intermediary } from "@/src/intermediary/intermediary.js";
import { memoryDial } from "@/src/transports/memory.js";
import { ROOT } from "@/test/fixtures/project.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

const run = promisify(execFile);
const dist = (name: string): string => pathToFileURL(join(ROOT, "dist", name)).href;
/** A second copy of the library: each of its classes is another one. */
const second: typeof first = await import(dist("web.js"));

const URL_TEXT = "amqp+memory://here/";
const options = {
  dialers: { "amqp+memory": memoryDial(new Intermediary({ kind: "broker" }).accept) },
  logger: null,
};
const rpc = first.getRpcTransport(second.TransportURL.parse(URL_TEXT) as first.TransportURL, options);
const notifications = first.getNotificationTransport(URL_TEXT, options);
afterAll(() => Promise.all([rpc.close(), notifications.close()]));

const FAILURE = {
  excType: "NotFound",
  module: "nova",
  message: "no",
  traceback: [],
  args: ["no"],
  kwargs: { code: 404 },
};

describe("two copies of the library", { timeout: 60_000 }, () => {
  it("an endpoint's target, a client and errors of the second copy work with the first one", async () => {
    const endpoint = {
      target: new second.Target({ namespace: "n", version: "1.1", legacyNamespaces: ["old"] }),
      remote(): void {
        throw new second.RemoteError(FAILURE);
      },
      oslo(): void {
        throw new second.NoSuchMethod("m");
      },
      ping: () => "pong",
    };
    const target = new second.Target({ topic: "t", server: "s" });
    const server = first.getRpcServer(rpc, target as first.Target, [endpoint]);
    await server.start();
    const client = second.getRpcClient(rpc as never, { topic: "t", namespace: "n", version: "1.1" });
    expect(await client.call({}, "ping")).toBe("pong");
    expect(await client.prepare({ namespace: "old" }).call({}, "ping")).toBe("pong");
    const failureOf = async (method: string): Promise<unknown> => await client.call({}, method).catch((error) => error);
    expect(await failureOf("remote")).toMatchObject({ excType: "NotFound", module: "nova", kwargs: { code: 404 } });
    expect(await failureOf("oslo")).toMatchObject({ excType: "NoSuchMethod", module: "oslo_messaging.rpc.dispatcher" });
    await server.stop();
    await server.wait();
  });

  it("a filter and a TestDriver of the second copy work with the first one", async () => {
    const inbox = new Inbox<string>("event types");
    const listener = first.getNotificationListener(
      notifications,
      [{ topic: "n" }],
      [
        {
          filterRule: new second.NotificationFilter({ eventType: "a" }),
          info: (_context, _publisherId, eventType) => inbox.put(eventType),
        },
      ],
    );
    await listener.start();
    const testDriver = new second.TestDriver() as first.TestDriver;
    const drivers = ["messagingv2", "test"] as const;
    const notifier = new first.Notifier(notifications, { publisherId: "p", topics: ["n"], drivers, testDriver });
    for (const eventType of ["b", "a"]) await notifier.info({}, eventType, {});
    expect(await inbox.take("an event type", (eventType) => eventType)).toBe("a");
    expect(testDriver.notifications).toHaveLength(2);
    await listener.stop();
    await listener.wait();
  });

  it("the driver of RabbitMQ of another copy works with web.min.js, whose isMessagingException knows its errors", async () => {
    const page: typeof first = await import(dist("web.min.js"));
    const { rabbit } = await import(dist("web/rabbit.js"));
    const dial: Dial = () => Promise.reject(new Error("nothing listens"));
    const transport = page.getRpcTransport("rabbit+ws://h/", {
      drivers: [rabbit],
      dialers: { "amqp+ws": dial },
      logger: null,
    });
    const call = page.getRpcClient(transport, { topic: "t" }).call({}, "m", {}, { timeoutMs: 100 });
    const error = await call.catch((thrown) => thrown);
    expect(error).toMatchObject({
      name: "MessagingTimeout",
      cause: { message: expect.stringContaining("nothing listens") },
    });
    expect(error).not.toBeInstanceOf(page.MessagingTimeout);
    expect(page.isMessagingException(error)).toBe(true);
    await transport.close();
  });

  it("the driver of RabbitMQ in rabbit.min.js throws the classes of web.min.js", async () => {
    const page: typeof first = await import(dist("web.min.js"));
    const { rabbit } = await import(dist("rabbit.min.js"));
    const open = () =>
      page.getRpcTransport("rabbit+ws://h/?rabbit_ha_queues=1&rabbit_quorum_queue=1", { drivers: [rabbit] });
    expect(open).toThrow(page.ConfigurationError);
  });

  it("each copy's isMessagingException knows the other's errors", () => {
    const error = new second.RemoteError(FAILURE);
    expect(error).not.toBeInstanceOf(first.MessagingException);
    expect([first.isMessagingException(error), second.isMessagingException(error)]).toEqual([true, true]);
    expect(second.isMessagingException(new first.TaskTimeout("x"))).toBe(true);
    expect(first.isMessagingException(new second.ConfigurationError("k", "x"))).toBe(false);
  });
});

/**
 * Loads dist/node.js in a context of node:vm, whose own Error, Uint8Array and Promise differ from those of Node's modules, as
 * Jest does with the DOM of a test. A broker in the outer realm listens; the program runs in the context.
 */
const REALM = `
  import { createContext, SourceTextModule, SyntheticModule } from "node:vm";
  import { readFile } from "node:fs/promises";
  import { Intermediary, listenTcp } from ${JSON.stringify(dist("intermediary.js"))};
  const { accept } = new Intermediary({ kind: "broker", users: new Map([["user", "secret"]]) });
  const at = { host: "127.0.0.1", port: 0, maxConnections: 10, accept };
  const { port } = await listenTcp(at);
  const closed = await listenTcp(at);
  await closed.close();
  const names = ["AbortController", "AbortSignal", "Buffer", "TextDecoder", "TextEncoder", "URL", "atob", "btoa", "clearInterval", "clearTimeout",
    "console", "crypto", "performance", "process", "queueMicrotask", "setImmediate", "setInterval", "setTimeout"];
  const context = createContext(Object.fromEntries(names.map((name) => [name, globalThis[name]])));
  const modules = new Map();
  async function load(specifier, parent) {
    const href = specifier.startsWith(".") ? new URL(specifier, parent).href : specifier;
    if (!modules.has(href)) modules.set(href, href.startsWith("file:") ? source(href) : outer(href));
    return await modules.get(href);
  }
  async function source(href) {
    return new SourceTextModule(await readFile(new URL(href), "utf8"), { context, identifier: href });
  }
  async function outer(name) {
    const module = await import(name.startsWith("node:") ? name : import.meta.resolve(name));
    const keys = Object.keys(module);
    return new SyntheticModule(keys, function () { for (const key of keys) this.setExport(key, module[key]); }, { context });
  }
  const program = new SourceTextModule(${"`"}
    import { getRpcClient, getRpcServer, getRpcTransport, isMessagingException } from ${JSON.stringify(dist("node.js"))};
    const transport = getRpcTransport("amqp://user:secret@127.0.0.1:\${port}/", { logger: null });
    await getRpcServer(transport, { topic: "t", server: "s" }, [{ echo: (_context, { value }) => value }]).start();
    const client = getRpcClient(transport, { topic: "t" });
    const echoed = await client.call({}, "echo", { value: [1, "x", new Date(0)] });
    const refused = await client.call({}, "echo", { value: new Uint8Array(1) }).catch((error) => error.message);
    await transport.close();
    const other = getRpcTransport("amqp://127.0.0.1:\${closed.port}/", { logger: null });
    other.connect().catch(() => {});
    let reason;
    for await (const status of other.status()) if (status.type === "disconnected") { reason = status.error.message; break; }
    await other.close();
    const last = await getRpcClient(other, { topic: "t" }).call({}, "m").catch((error) => error);
    export const result = { echoed, refused, reason, known: isMessagingException(last), own: Uint8Array };
  ${"`"}, { context, identifier: "program" });
  await program.link((specifier, { identifier }) => load(specifier, identifier));
  await program.evaluate();
  const { own, ...result } = program.namespace.result;
  process.stdout.write(JSON.stringify({ ...result, otherRealm: own !== Uint8Array }));
  process.exit();
`;

it("the library works in a realm whose globals are not those of Node's modules", { timeout: 60_000 }, async () => {
  const args = ["--experimental-vm-modules", "--no-warnings", "--input-type=module", "--eval", REALM];
  const { stdout } = await run(process.execPath, args, { cwd: ROOT });
  expect(JSON.parse(stdout)).toEqual({
    echoed: [1, "x", "1970-01-01T00:00:00.000Z"],
    refused: expect.stringContaining("request.args.value is a Uint8Array, which JSON cannot hold"),
    reason: expect.stringContaining("connection refused"),
    known: true,
    otherRealm: true,
  });
});
