import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Connection } from "@/src/core/connection/connection.js";
import { accept } from "@/src/core/connection/handshake.js";
import type { LinkRequest } from "@/src/core/connection/link-request.js";
import { Authenticator } from "@/src/core/sasl/server/authenticator.js";
import { Writer } from "@/src/core/types/writer.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import * as raw from "@/test/fixtures/peers/frame-client.js";
import { turn } from "@/test/fixtures/stages/turn.js";

const { AMQP, attach, begin, detach, echo, flow, nothing, open, FrameClient, transfer } = raw;

/** A server that answers links with `onLink`, and a client that sends any bytes. */
function served(onLink: (request: LinkRequest) => void, maxMessageBytes?: number) {
  const logger = new RecordingLogger();
  const connections: Connection[] = [];
  const failures: string[] = [];
  const client = new FrameClient({
    accept: (socket) =>
      accept(socket, {
        containerId: "server",
        sasl: new Authenticator(),
        logger,
        maxMessageBytes,
        onOpen: (connection) => connections.push(connection),
        onLink,
        onFailure: (failure) => failures.push(failure.message),
      }),
  });
  const received = async (): Promise<string[]> => {
    await turn();
    return client.frames.map(({ performative }) => performative);
  };
  return { client, logger, connections, failures, received };
}

const REFUSAL = { condition: "amqp:not-found", description: "no such node" };

describe("a link that a client attaches", () => {
  afterEach(() => void vi.useRealTimers());

  it("a server may refuse a link after the client has issued credit or sent transfers, which are ignored", async () => {
    const { client, connections, received } = served((request) => request.refuse(REFUSAL));
    client.say(AMQP, open(), begin(), attach({}), flow(0, 10), attach({ name: "2", handle: 1, role: false }));
    client.say(transfer(1, 0, Uint8Array.of(1)), flow(0, 5));
    expect(await received()).toEqual(["open", "begin", "attach", "detach", "attach", "detach"]);
    client.say(detach(0), attach({ name: "3" }), flow(0, 1));
    expect((await received()).slice(6)).toEqual(["attach", "detach"]);
    expect(connections[0]?.isOpen).toBe(true);
    client.say(detach(0), flow(0, 1));
    expect((await connections[0]?.closed)?.message).toContain("handle 0, which is not attached");
  });

  it("a client may send symbols where strings belong, and a string where a symbol belongs", async () => {
    const links: LinkRequest[] = [];
    const { client, connections, received } = served((request) => {
      links.push(request);
      request.acceptSender({ source: {}, target: {} });
    });
    const symbol =
      (text: string): raw.Write =>
      (writer) =>
        writer.symbol(text);
    const product = map(["product", (writer) => writer.symbol("p")]);
    client.say(AMQP, open(product, undefined, symbol("client")), begin());
    const source = raw.terminus(0x28, symbol("somewhere"));
    client.say(attach({ name: symbol("link"), source }), detach(0), attach({ name: "link", source }));
    expect(await received()).toEqual(["open", "begin", "attach", "detach", "attach"]);
    expect(connections[0]?.remote).toMatchObject({ containerId: "client", product: "p" });
    expect(links.map(({ name, source }) => [name, source?.address])).toEqual([
      ["link", "somewhere"],
      ["link", "somewhere"],
    ]);
  });

  it("a server refuses a link when onLink throws or does not answer", async () => {
    const { client, connections, received, logger } = served((request) => {
      if (request.name === "throws") throw new Error("bug of the user");
    });
    client.say(AMQP, open(), begin(), attach({ name: "throws" }), attach({ name: "ignored", handle: 1 }));
    expect(await received()).toEqual(["open", "begin", "attach", "detach", "attach", "detach"]);
    expect(JSON.stringify(client.frames)).toContain("amqp:internal-error");
    expect(connections[0]?.isOpen).toBe(true);
    expect(logger.of("error")[0]).toContain("onLink of link throws threw Error: bug of the user");
  });

  it("an answer that does not fit into the client's frames closes the connection, so that the client does not wait", async () => {
    const answers: ((request: LinkRequest) => void)[] = [
      (request) => request.acceptSender({ source: { address: "q" }, target: {} }),
      (request) => request.refuse(REFUSAL),
    ];
    for (const answer of answers) {
      const { client, connections, logger } = served(answer);
      client.say(AMQP, open(nothing, 512), begin(), attach({ name: "n".repeat(600) }));
      expect((await connections[0]?.closed)?.message).toContain("amqp:frame-size-too-small");
      expect(client.frames.at(-1)).toMatchObject({ performative: "close" });
      expect(JSON.stringify(client.frames.at(-1))).toContain("exceeds the max-frame-size of 512");
      expect(logger.of("error")).toEqual([]);
    }
  });

  it("an attach with a handle in use by an accepted or refused link ends the connection", async () => {
    for (const name of ["accepted", "refused"]) {
      const { client, connections } = served((request) => {
        if (request.name === "refused") request.refuse(REFUSAL);
        else request.acceptSender({ source: {}, target: {} });
      });
      client.say(AMQP, open(), begin(), attach({ name }), attach({ name: "other" }));
      expect((await connections[0]?.closed)?.message).toContain("amqp:session:handle-in-use");
    }
  });

  it("a link is detached when the client opens only to refuse the connection and stays silent for 15 s", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
    const ends: string[] = [];
    const { client, failures } = served((request) =>
      request.acceptSender({ source: {}, target: {}, onDetach: (error) => void ends.push(`${error?.name}`) }),
    );
    client.say(AMQP, open(establishmentFailed), begin(), attach({}));
    vi.advanceTimersByTime(15_000);
    expect(ends).toEqual(["ConnectionLost"]);
    expect(client.isClosed).toBe(true);
    await turn();
    expect(failures).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("a server does not keep the fields of a client's attach", async () => {
    setFlagsFromString("--expose-gc");
    const gc: () => void = runInNewContext("gc");
    const { client, connections } = served((request) => request.acceptSender({ source: {}, target: {} }));
    client.say(AMQP, open(), begin());
    const properties: raw.Write = (writer) => {
      const mark = writer.beginList();
      for (let i = 0; i < 16_000; i++) writer.null();
      writer.endList(mark, 16_000);
    };
    gc();
    const before = process.memoryUsage().heapUsed;
    for (let handle = 0; handle < 30; handle++) client.say(attach({ name: `${handle}`, handle, properties }));
    await turn();
    gc();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000);
    expect(connections[0]?.isOpen).toBe(true);
  });
});

describe("the properties of a client", () => {
  it("the scalar properties in a client's open are available as text", () => {
    const { client, connections } = served(() => {});
    const list: raw.Write = (writer) => writer.endList(writer.beginList(), 0);
    client.say(AMQP, open(map(["node", (w) => w.string("n")], ["pid", (w) => w.uint(7)], ["x", list], ["y", nothing])));
    expect([...(connections[0]?.remote.properties ?? [])]).toEqual([
      ["node", "n"],
      ["pid", "7"],
    ]);
  });

  it("at most one hundred properties of a client's open are kept", () => {
    const { client, connections } = served(() => {});
    const one: raw.Write = (writer) => writer.uint(1);
    client.say(AMQP, open(map(...Array.from({ length: 5_000 }, (_, i) => [`${i}`, one] as const))));
    expect(connections[0]?.remote.properties.size).toBe(100);
  });
});

describe("a client that reads nothing", () => {
  afterEach(() => void vi.useRealTimers());

  it("a client that reads nothing and continues to send is disconnected when too many bytes are unsent", async () => {
    const { client, connections } = served((request) => request.acceptSender({ source: {}, target: {} }), 10_000);
    client.say(AMQP, open(), begin(), attach({}));
    await turn();
    client.deaf = true;
    for (let round = 0; round < 100 && !client.isClosed; round++) {
      client.say(...Array<Uint8Array>(100).fill(echo(0)));
      await turn();
    }
    expect((await connections[0]?.closed)?.message).toMatch(/the peer does not read: \d+ bytes unsent/);
    expect(client.buffered).toBeLessThan(60_000);
  });

  it("a client that reads nothing cannot prevent its connection from being closed", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
    const { client, connections } = served(() => {});
    client.say(AMQP, open());
    await turn();
    client.deaf = true;
    const closing = connections[0]?.close();
    vi.advanceTimersByTime(2_000);
    await closing;
    expect([client.isClosed, vi.getTimerCount()]).toEqual([true, 0]);
  });
});

/** The property of an Open that is followed by a Close with the reason (transport 2.7.1). */
const establishmentFailed = map(["amqp:connection-establishment-failed", (writer) => writer.boolean(true)]);

function map(...entries: (readonly [key: string, value: raw.Write])[]): raw.Write {
  return (writer) => {
    const content = new Writer();
    for (const [key, value] of entries) {
      content.symbol(key);
      value(content);
    }
    const bytes = content.take();
    const head = new DataView(new ArrayBuffer(9));
    head.setUint8(0, 0xd1);
    head.setUint32(1, bytes.length + 4);
    head.setUint32(5, 2 * entries.length);
    writer.append(new Uint8Array(head.buffer));
    writer.append(bytes);
  };
}
