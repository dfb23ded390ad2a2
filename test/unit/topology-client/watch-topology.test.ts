import { describe, expect, onTestFinished, test } from "vitest";
import type { Accept, Dial } from "@/src/core/byte-stream.js";
import { accept } from "@/src/core/connection/handshake.js";
import { Deferred } from "@/src/core/deferred.js";
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

const { Intermediary, memoryDial, TOPOLOGY_CAPABILITY, watchTopology } = node;
type IntermediaryOptions = node.IntermediaryOptions;
type WatchTopologyOptions = node.WatchTopologyOptions;

const URL = "amqp+memory://h/";

describe.each([
  ["Node", node],
  ["the web", web],
])("watchTopology of %s", (_, { watchTopology }) => {
  test("watchTopology yields the topology, then its changes, and closes its connection when the loop ends", async () => {
    const { intermediary, options } = makeBed();
    const transport = getRpcTransport(URL, { logger: null, ...options });
    onTestFinished(() => transport.close());
    await transport.connect();
    const seen: node.Topology[] = [];
    for await (const topology of watchTopology(URL, options)) {
      seen.push(topology);
      if (topology.addresses.length === 3) break;
      if (seen.length > 1) continue; // not all of the server's links are attached yet
      await getRpcServer(transport, { topic: "t", server: "s" }, [{}]).start();
    }
    expect(seen[0]).toMatchObject({ connections: [{ watching: false }, { watching: true }], addresses: [] });
    expect(intermediary.connections).toBe(1);
  });

  test("watchTopology connects when the first snapshot is requested", async () => {
    const { intermediary, options } = makeBed();
    const iterator = watchTopology(URL, options)[Symbol.asyncIterator]();
    expect(intermediary.connections).toBe(0);
    await iterator.next();
    expect(intermediary.connections).toBe(1);
    await iterator.return?.();
    expect(intermediary.connections).toBe(0);
  });

  test("watchTopology throws immediately for an invalid URL or option", () => {
    const dialers = { "amqp+memory": memoryDial(new Intermediary({ kind: "router" }).accept) };
    expect(() => watchTopology("h")).toThrow(InvalidTransportURL);
    expect(() => watchTopology("amqp+pigeon://h/", { dialers })).toThrow(DriverLoadFailure);
    const wrong = { dialers, signals: 1 };
    expect(() => watchTopology(URL, wrong)).toThrow(NoSuchOptError);
    const noSignal = { dialers, signal: 5 } as unknown as WatchTopologyOptions;
    expect(() => watchTopology(URL, noSignal)).toThrow(ConfigurationError);
  });
});

describe("a slow reader of the topology", () => {
  test("a slow reader gets the newest topology and none of those before it", async () => {
    const { options } = makeBed();
    const transport = getRpcTransport(URL, { logger: null, ...options });
    onTestFinished(() => transport.close());
    const another = watchTopology(URL, options)[Symbol.asyncIterator]();
    const seen: number[] = [];
    for await (const { addresses } of watchTopology(URL, options)) {
      seen.push(addresses.length);
      if (seen.length === 2) break;
      for (const topic of ["a", "b", "c"]) {
        await getRpcServer(transport, { topic, server: "s" }, [{}]).start();
        await another.next(); // waits until there is a topology to miss
      }
    }
    expect(seen[1]).toBeGreaterThan(3);
    await another.return?.();
  });
});

describe("the signal of watchTopology", () => {
  const reason = new Error("enough");

  test("an aborted signal prevents the connection", async () => {
    const { intermediary, options } = makeBed();
    const watching = first(watchTopology(URL, { ...options, signal: AbortSignal.abort(reason) }));
    await expect(watching).rejects.toBe(reason);
    expect(intermediary.connections).toBe(0);
  });

  test("the signal ends the wait for a connection", async () => {
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

  test("the signal ends the wait for the link and for the first snapshot", async () => {
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

  test("the signal ends the wait for the next snapshot and closes the connection", async () => {
    const { intermediary, options } = makeBed();
    const abort = new AbortController();
    const iterator = watchTopology(URL, { ...options, signal: abort.signal })[Symbol.asyncIterator]();
    await iterator.next();
    const next = iterator.next();
    abort.abort(reason);
    await expect(next).rejects.toBe(reason);
    expect(intermediary.connections).toBe(0);
  });

  test("the signal has no listeners after the loop ends", async () => {
    const { options } = makeBed();
    const { signal } = new AbortController();
    const listeners = new Set<unknown>();
    signal.addEventListener = (_: string, listener: unknown) => void listeners.add(listener);
    signal.removeEventListener = (_: string, listener: unknown) => void listeners.delete(listener);
    await first(watchTopology(URL, { ...options, signal }));
    expect(listeners.size).toBe(0);
  });
});

describe("the end of a watch", () => {
  test("the watch throws the connection error after trying each host once", async () => {
    const tried: string[] = [];
    const dial: Dial = async ({ hostname }) => {
      tried.push(hostname);
      throw new Error(`cannot connect to ${hostname}`);
    };
    const options = { logger: null, dialers: { "amqp+memory": dial } };
    await expect(first(watchTopology("amqp+memory://a,b/", options))).rejects.toThrow(/^cannot connect to [ab]$/);
    expect(tried.sort()).toEqual(["a", "b"]);
  });

  test("the watch continues when another host of the URL accepts the connection", async () => {
    const { intermediary } = makeBed();
    const dialIntermediary = memoryDial(intermediary.accept);
    let count = 0;
    const dial: Dial = async (...args) => {
      count++;
      if (count === 1) throw new Error("connection refused");
      return await dialIntermediary(...args);
    };
    const options = { logger: null, dialers: { "amqp+memory": dial } };
    const topology = await first(watchTopology("amqp+memory://a,b/", options));
    expect(topology.kind).toBe("router");
  });

  test("a wrong password ends the watch; the right one from a function does not", async () => {
    const { options } = makeBed({ users: new Map([["joe", "pässword"]]) });
    await expect(first(watchTopology("amqp+memory://joe:secret@h/", options))).rejects.toMatchObject({
      name: "AuthenticationError",
      message: expect.not.stringContaining("secret"),
    });
    const credentials = () => ({ username: "joe", password: "pässword" });
    const { connections } = await first(watchTopology(URL, { ...options, credentials }));
    expect(connections).toMatchObject([{ user: "joe", watching: true }]);
  });

  test("the watch throws when the intermediary closes", async () => {
    const { intermediary, options } = makeBed();
    const iterator = watchTopology(URL, options)[Symbol.asyncIterator]();
    await iterator.next();
    const next = iterator.next();
    await intermediary.close();
    await expect(next).rejects.toThrow("amqp:connection:forced: oslo-messaging-router is closing");
  });

  test("the watch throws when the peer detaches the link", async () => {
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
      "attaches the address without the capability",
      "does not know the address $topology",
      (request: Request) => void request.acceptSender({ source: request.source ?? {}, target: { address: "t" } }),
    ],
    [
      "sends JSON that is no topology",
      "sends no topology from $topology",
      (request: Request) => {
        const body = { type: "data", bytes: new TextEncoder().encode('{"connections":1}') } as const;
        void attach(request).send({ body }, { settled: true });
      },
    ],
  ])("the watch throws when a peer that is not an embedded intermediary %s", async (_, symptom, onLink) => {
    const watching = first(watchTopology(URL, dialling(peer(onLink))));
    const error = await watching.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MessagingException);
    expect(String(error)).toBe(
      `MessagingException: h:5672 ${symptom}: not an embedded intermediary of oslo-messaging (product: other)`,
    );
  });

  test("the watch throws when the topology is not JSON", async () => {
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
  return { logger: null, dialers: { "amqp+memory": memoryDial(accept) } };
}

/** A peer that is not an embedded intermediary. */
function peer(onLink: (request: Request) => void): Accept {
  return (socket) =>
    accept(socket, {
      containerId: "peer",
      properties: { product: "other" },
      sasl: new Authenticator({}),
      onOpen() {},
      onLink,
      onFailure() {},
    });
}

/** Attaches the link as the embedded intermediary does. */
function attach(request: Request): Sender {
  const { address } = request.source ?? {};
  return request.acceptSender({ source: { address, capabilities: [TOPOLOGY_CAPABILITY] }, target: { address: "t" } });
}

async function first(watching: AsyncIterable<node.Topology>): Promise<node.Topology> {
  for await (const topology of watching) return topology;
  throw new Error("it ended without a snapshot");
}
