import { describe, expect, onTestFinished, test } from "vitest";
import type { Accept, Dial } from "@/src/core/byte-stream.js";
import { accept } from "@/src/core/connection/handshake.js";
import type { Sender } from "@/src/core/links/sender.js";
import { Authenticator } from "@/src/core/sasl/server/authenticator.js";
import * as node from "@/src/entry/intermediary-node.js";
import * as web from "@/src/entry/intermediary-web.js";
import {
  ConfigurationError,
  DriverLoadFailure,
  getRpcServer,
  getRpcTransport,
  InvalidTransportURL,
  MessagingException,
  NoSuchOptError,
} from "@/src/entry/node.js";
import { Deferred } from "@/test/fixtures/stages/deferred.js";

const { Intermediary, memoryDial, TOPOLOGY_CAPABILITY, watchTopology } = node;
type IntermediaryOptions = node.IntermediaryOptions;
type WatchTopologyOptions = node.WatchTopologyOptions;

const URL = "amqp+memory://h/";

describe.each([
  ["Node", node],
  ["the web", web],
])("the watcher of the topology, of %s", (_, { watchTopology }) => {
  test("sees what there is, then what changes; its connection is closed when the loop ends", async () => {
    const { intermediary, options } = makeBed();
    const transport = getRpcTransport(URL, options);
    onTestFinished(() => transport.close());
    await transport.connect();
    const seen: node.Topology[] = [];
    for await (const topology of watchTopology(URL, options)) {
      seen.push(topology);
      if (topology.addresses.length === 3) break;
      if (seen.length > 1) continue; // not all of its links are there yet
      await getRpcServer(transport, { topic: "t", server: "s" }, [{}]).start();
    }
    expect(seen[0]).toMatchObject({ connections: [{ watching: false }, { watching: true }], addresses: [] });
    expect(intermediary.connections).toBe(1);
  });

  test("connects when the first snapshot is asked for", async () => {
    const { intermediary, options } = makeBed();
    const iterator = watchTopology(URL, options)[Symbol.asyncIterator]();
    expect(intermediary.connections).toBe(0);
    await iterator.next();
    expect(intermediary.connections).toBe(1);
    await iterator.return?.();
    expect(intermediary.connections).toBe(0);
  });

  test("throws at once for what makes no transport", () => {
    const dialers = { "amqp+memory": memoryDial(new Intermediary({ kind: "router" }).accept) };
    expect(() => watchTopology("h")).toThrow(InvalidTransportURL);
    expect(() => watchTopology("amqp+pigeon://h/", { dialers })).toThrow(DriverLoadFailure);
    const wrong = { dialers, signals: 1 };
    expect(() => watchTopology(URL, wrong)).toThrow(NoSuchOptError);
    const noSignal = { dialers, signal: 5 } as unknown as WatchTopologyOptions;
    expect(() => watchTopology(URL, noSignal)).toThrow(ConfigurationError);
  });
});

describe("a slow reader", () => {
  test("gets the newest, and none of those that it missed", async () => {
    const { options } = makeBed();
    const transport = getRpcTransport(URL, options);
    onTestFinished(() => transport.close());
    const another = watchTopology(URL, options)[Symbol.asyncIterator]();
    const seen: number[] = [];
    for await (const { addresses } of watchTopology(URL, options)) {
      seen.push(addresses.length);
      if (seen.length === 2) break;
      for (const topic of ["a", "b", "c"]) {
        await getRpcServer(transport, { topic, server: "s" }, [{}]).start();
        await another.next(); // so that there was something to miss
      }
    }
    expect(seen[1]).toBeGreaterThan(3);
    await another.return?.();
  });
});

describe("the signal", () => {
  const reason = new Error("enough");

  test("that is aborted already lets nothing begin", async () => {
    const { intermediary, options } = makeBed();
    const watching = first(watchTopology(URL, { ...options, signal: AbortSignal.abort(reason) }));
    await expect(watching).rejects.toBe(reason);
    expect(intermediary.connections).toBe(0);
  });

  test("ends the wait for a connection", async () => {
    const abort = new AbortController();
    const dialled = new Deferred<AbortSignal>();
    const dial: Dial = async (_to, _on, signal) => {
      dialled.resolve(signal);
      return await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    };
    const watching = first(watchTopology(URL, { dialers: { "amqp+memory": dial }, signal: abort.signal }));
    await dialled.promise;
    abort.abort(reason);
    await expect(watching).rejects.toBe(reason);
    expect((await dialled.promise).aborted).toBe(true);
  });

  test("ends the wait for the link, and for the first snapshot", async () => {
    for (const phase of ["link", "snapshot"] as const) {
      const abort = new AbortController();
      const asked = new Deferred<void>();
      const accept = peer((request) => {
        asked.resolve();
        if (phase === "snapshot") attach(request);
        else request.acceptSender({ source: {}, target: { address: "t" } });
      });
      const watching = first(watchTopology(URL, { ...dialling(accept), signal: abort.signal }));
      await asked.promise;
      abort.abort(reason);
      await expect(watching).rejects.toBe(reason);
    }
  });

  test("ends the wait for the next snapshot, and the connection", async () => {
    const { intermediary, options } = makeBed();
    const abort = new AbortController();
    const iterator = watchTopology(URL, { ...options, signal: abort.signal })[Symbol.asyncIterator]();
    await iterator.next();
    const next = iterator.next();
    abort.abort(reason);
    await expect(next).rejects.toBe(reason);
    expect(intermediary.connections).toBe(0);
  });

  test("is left alone once it is over", async () => {
    const { options } = makeBed();
    const { signal } = new AbortController();
    const listeners = new Set<unknown>();
    signal.addEventListener = (_: string, listener: unknown) => void listeners.add(listener);
    signal.removeEventListener = (_: string, listener: unknown) => void listeners.delete(listener);
    await first(watchTopology(URL, { ...options, signal }));
    expect(listeners.size).toBe(0);
  });
});

describe("the watch ends with the reason", () => {
  test("when nobody is there: after each host was tried once", async () => {
    const tried: string[] = [];
    const dial: Dial = async ({ hostname }) => {
      tried.push(hostname);
      throw new Error(`cannot connect to ${hostname}`);
    };
    const options = { dialers: { "amqp+memory": dial } };
    await expect(first(watchTopology("amqp+memory://a,b/", options))).rejects.toThrow(/^cannot connect to [ab]$/);
    expect(tried.sort()).toEqual(["a", "b"]);
  });

  test("but not when another host of the URL is there", async () => {
    const { intermediary } = makeBed();
    const there = memoryDial(intermediary.accept);
    let count = 0;
    const dial: Dial = async (...args) => {
      count++;
      if (count === 1) throw new Error("not there");
      return await there(...args);
    };
    const topology = await first(watchTopology("amqp+memory://a,b/", { dialers: { "amqp+memory": dial } }));
    expect(topology.kind).toBe("router");
  });

  test("when the password is wrong, but not when a function gives the right one", async () => {
    const { options } = makeBed({ users: new Map([["joe", "pässword"]]) });
    await expect(first(watchTopology("amqp+memory://joe:secret@h/", options))).rejects.toMatchObject({
      name: "AuthenticationError",
      message: expect.not.stringContaining("secret"),
    });
    const credentials = () => ({ username: "joe", password: "pässword" });
    const { connections } = await first(watchTopology(URL, { ...options, credentials }));
    expect(connections).toMatchObject([{ user: "joe", watching: true }]);
  });

  test("when the intermediary closes", async () => {
    const { intermediary, options } = makeBed();
    const iterator = watchTopology(URL, options)[Symbol.asyncIterator]();
    await iterator.next();
    const next = iterator.next();
    await intermediary.close();
    await expect(next).rejects.toThrow("amqp:connection:forced: oslo-messaging-router is closing");
  });

  test("when the peer detaches the link", async () => {
    const accept = peer((request) => {
      const sender = attach(request);
      queueMicrotask(() => sender.close({ condition: "amqp:resource-deleted", description: "gone" }));
    });
    await expect(first(watchTopology(URL, dialling(accept)))).rejects.toThrow("amqp:resource-deleted: gone");
  });

  test.each([
    [
      "refuses the address",
      "refuses the link $topology",
      (request: Request) => request.refuse({ condition: "amqp:not-found" }),
    ],
    [
      "has such an address that is something else",
      "does not know the address $topology",
      (request: Request) => void request.acceptSender({ source: request.source ?? {}, target: { address: "t" } }),
    ],
    [
      "tells something else there",
      "tells something else $topology",
      (request: Request) => {
        const body = { type: "data", bytes: new TextEncoder().encode('{"connections":1}') } as const;
        void attach(request).send({ body }, { settled: true });
      },
    ],
  ])("when the peer is no such intermediary: it %s", async (_, what, onLink) => {
    const watching = first(watchTopology(URL, dialling(peer(onLink))));
    const error = await watching.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MessagingException);
    expect(String(error)).toBe(
      `MessagingException: h:5672 ${what}: it is no embedded intermediary of oslo-messaging, and calls itself stranger`,
    );
  });

  test("when what it tells is not JSON", async () => {
    const accept = peer((request) => {
      void attach(request).send({ body: { type: "value", value: "{}" } }, { settled: true });
    });
    await expect(first(watchTopology(URL, dialling(accept)))).rejects.toThrow("the topology of h:5672 is not JSON");
  });
});

type Request = Parameters<Parameters<typeof accept>[1]["onLink"]>[0];

function makeBed(init: Partial<IntermediaryOptions> = {}) {
  const intermediary = new Intermediary({ kind: "router", ...init });
  onTestFinished(() => intermediary.close());
  return { intermediary, options: dialling(intermediary.accept) };
}

function dialling(accept: Accept): WatchTopologyOptions {
  return { dialers: { "amqp+memory": memoryDial(accept) } };
}

/** A peer that is not ours. */
function peer(onLink: (request: Request) => void): Accept {
  return (socket) =>
    accept(socket, {
      containerId: "peer",
      properties: { product: "stranger" },
      sasl: new Authenticator({}),
      onOpen() {},
      onLink,
      onFailure() {},
    });
}

/** As our intermediary does. */
function attach(request: Request): Sender {
  const { address } = request.source ?? {};
  return request.acceptSender({ source: { address, capabilities: [TOPOLOGY_CAPABILITY] }, target: { address: "t" } });
}

async function first(watching: AsyncIterable<node.Topology>): Promise<node.Topology> {
  for await (const topology of watching) return topology;
  throw new Error("it ended without a snapshot");
}
