import rheaFrames from "rhea/lib/frames.js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Dial, SocketHandlers } from "@/src/core/byte-stream.js";
import { accept, type ConnectOptions, connect } from "@/src/core/connection/handshake.js";
import { saslHeader } from "@/src/core/sasl/sasl.js";
import { scramProofs } from "@/src/core/sasl/scram.js";
import { Authenticator } from "@/src/core/sasl/server/authenticator.js";
import { connectTo, error, saslServer, TO } from "@/test/fixtures/beds/raw-bed.js";
import { FakeSocket } from "@/test/fixtures/fakes/fake-socket.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { RawPeer } from "@/test/fixtures/peers/raw-peer.js";
import { challenge, mechanisms, outcome } from "@/test/fixtures/peers/sasl-ends.js";
import { turn } from "@/test/fixtures/stages/turn.js";

/** The bytes that a server sends until the connection is open, each with the phase that waits for them. */
const SERVER: readonly (readonly [phase: string, bytes: Uint8Array])[] = [
  ...saslServer().map(
    (bytes, index) => [["the SASL header", "the mechanisms", "the outcome"][index] ?? "", bytes] as const,
  ),
  ["the AMQP header", Buffer.from("AMQP\x00\x01\x00\x00", "latin1")],
  ["the open", rheaFrames.write_frame(rheaFrames.amqp_frame(0, rheaFrames["open"]({ container_id: "server" })))],
];

const PHASES = SERVER.map(([phase], index) => [phase, index] as const);

/** A client on a socket whose server is the test. */
function dialled(options: Partial<ConnectOptions> = {}) {
  const socket = new FakeSocket();
  let handlers: SocketHandlers = { data() {}, drain() {}, close() {} };
  const dial: Dial = async (_to, dialled) => {
    handlers = dialled;
    return socket;
  };
  const abort = new AbortController();
  const added = vi.spyOn(abort.signal, "addEventListener");
  const removed = vi.spyOn(abort.signal, "removeEventListener");
  const all = { containerId: "client", sasl: { credentials: undefined }, ...options };
  const connecting = connect(dial, TO, all, abort.signal);
  connecting.catch(() => {});
  return {
    socket,
    abort,
    connecting,
    /** Sends the first `count` entries of SERVER. */
    async say(count: number): Promise<void> {
      await turn();
      for (const [, bytes] of SERVER.slice(0, count)) handlers.data(bytes);
    },
    async hear(...words: readonly Uint8Array[]): Promise<void> {
      await turn();
      for (const bytes of words) handlers.data(bytes);
    },
    close: (cause?: Error) => handlers.close(cause),
    listeners: () => added.mock.calls.length - removed.mock.calls.length,
  };
}

describe("connecting", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] }));
  afterEach(() => void vi.useRealTimers());

  it("a finished connect leaves neither timer nor listener behind", async () => {
    const { connecting, say, listeners, socket } = dialled();
    await say(5);
    expect((await connecting).isOpen).toBe(true);
    expect([vi.getTimerCount(), listeners(), socket.isClosed]).toEqual([0, 0, false]);
  });

  it.each(PHASES)("connect rejects when it is aborted while it waits for %s", async (_, index) => {
    const { connecting, abort, say, listeners, socket } = dialled();
    await say(index);
    abort.abort(new Error("changed my mind"));
    await expect(connecting).rejects.toThrow("changed my mind");
    expect([vi.getTimerCount(), listeners(), socket.isClosed]).toEqual([0, 0, true]);
    await say(5); // too late
  });

  it.each(PHASES)("connect times out when the peer is silent while it waits for %s", async (_, index) => {
    const { connecting, say, listeners, socket } = dialled();
    await say(index);
    vi.advanceTimersByTime(15_000);
    await expect(connecting).rejects.toThrow("fake: no AMQP 1.0 connection within 15000 ms");
    expect([vi.getTimerCount(), listeners(), socket.isClosed]).toEqual([0, 0, true]);
  });

  it.each(PHASES)("connect rejects when the stream ends while it waits for %s", async (_, index) => {
    const { connecting, say, close, listeners } = dialled();
    await say(index);
    close(new Error("fake: reset"));
    await expect(connecting).rejects.toMatchObject({ name: "ConnectionLost", message: "fake: reset" });
    expect([vi.getTimerCount(), listeners()]).toEqual([0, 0]);
  });

  it("connect rejects when it is aborted just as the dialler resolves", async () => {
    const { connecting, abort, socket } = dialled();
    abort.abort(new Error("changed my mind"));
    await expect(connecting).rejects.toThrow("changed my mind");
    expect([vi.getTimerCount(), socket.isClosed]).toEqual([0, true]);
  });

  it("connect loses no bytes, and not the end, that arrive before the dialler resolves", async () => {
    for (const count of [1, 3, 5]) {
      const dial: Dial = async (_to, handlers) => {
        for (const [, bytes] of SERVER.slice(0, count)) handlers.data(bytes);
        if (count < 5) handlers.close(new Error("went away"));
        return new FakeSocket();
      };
      const options = { containerId: "client", sasl: { credentials: undefined } };
      const connecting = connect(dial, TO, options, new AbortController().signal);
      if (count === 5) expect((await connecting).remote.containerId).toBe("server");
      else await expect(connecting).rejects.toThrow("went away");
    }
  });

  it("a dialler may bind the functions of its handlers before the connection exists", async () => {
    const socket = new FakeSocket();
    let bound: SocketHandlers | undefined;
    const dial: Dial = async (_to, handlers) => {
      bound = {
        data: handlers.data.bind(handlers),
        drain: handlers.drain.bind(handlers),
        close: handlers.close.bind(handlers),
      };
      return socket;
    };
    const options = { containerId: "client", sasl: { credentials: undefined } };
    const connecting = connect(dial, TO, options, new AbortController().signal);
    await turn();
    for (const [, bytes] of SERVER) bound?.data(bytes);
    expect(socket.isClosed).toBe(false);
    const connection = await connecting;
    bound?.close(new Error("fake: reset"));
    expect(await connection.closed).toMatchObject({ name: "ConnectionLost", message: "fake: reset" });
  });

  it("connect rejects with the peer's reason when the peer opens only to close", async () => {
    const peer = new RawPeer();
    const failed = expect(connectTo(peer)).rejects.toThrow("amqp:unauthorized-access: unknown user");
    await peer.next("open");
    peer.send("open", { container_id: "raw", properties: { "amqp:connection-establishment-failed": true } });
    peer.send("close", { error: error("amqp:unauthorized-access", "unknown user") });
    await failed;
    await peer.next("close");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("connect logs an error that onFrame throws, and continues", async () => {
    const logger = new RecordingLogger();
    const { connecting, say } = dialled({
      logger,
      onFrame() {
        throw new Error("bug of the user");
      },
    });
    await say(5);
    expect((await connecting).isOpen).toBe(true);
    expect(logger.of("error")[0]).toContain("bug of the user");
  });
});

describe("connecting while SCRAM computes", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] }));
  afterEach(() => void vi.useRealTimers());

  /** A client that has been challenged and has not answered yet. */
  async function challenged() {
    const sasl = { credentials: { username: "joe", password: "pencil" } };
    const client = dialled({ sasl });
    await client.hear(saslHeader(), mechanisms("SCRAM-SHA-1"));
    const [, nonce = ""] = /,r=([A-Za-z0-9+/]{24})/.exec(client.socket.text) ?? [];
    await client.hear(challenge(`r=${nonce}x,s=QSXCR+Q6sek8bf92,i=20000`));
    return { ...client, said: client.socket.sent.length };
  }

  /** Resolves when earlier computations are finished. */
  async function computed(): Promise<void> {
    const init = { hash: "SHA-1", password: "p", salt: new Uint8Array(8), authMessage: "" } as const;
    await Promise.all(Array.from({ length: 4 }, () => scramProofs({ ...init, iterations: 40_000 })));
    await turn();
  }

  it("the SCRAM response is sent once it is computed", async () => {
    const { socket, said, connecting, abort } = await challenged();
    await computed();
    expect(socket.sent.length).toBe(said + 1);
    abort.abort(new Error("changed my mind"));
    await expect(connecting).rejects.toThrow("changed my mind");
  });

  it.each<[event: string, end: (client: Awaited<ReturnType<typeof challenged>>) => unknown, error: string]>([
    ["it is aborted", ({ abort }) => abort.abort(new Error("changed my mind")), "changed my mind"],
    ["the stream ends", ({ close }) => close(new Error("fake: reset")), "fake: reset"],
    ["the handshake times out", () => vi.advanceTimersByTime(15_000), "fake: no AMQP 1.0 connection within 15000 ms"],
    ["the peer sends too many bytes", ({ hear }) => hear(new Uint8Array(70_000)), "received 70000 bytes during SASL"],
  ])("connect rejects when %s while SCRAM computes, and sends nothing more", async (_, end, error) => {
    const client = await challenged();
    await end(client);
    await expect(client.connecting).rejects.toThrow(error);
    expect([vi.getTimerCount(), client.listeners(), client.socket.isClosed]).toEqual([0, 0, true]);
    await computed();
    expect(client.socket.sent.length).toBe(client.said);
  });

  it("connect loses no bytes that arrive while SCRAM computes", async () => {
    const { socket, hear, said, connecting } = await challenged();
    await hear(outcome(1, "e=other-error"));
    await expect(connecting).rejects.toThrow(
      'SCRAM-SHA-1 of user "joe" failed: the credentials were refused (code 1, auth)',
    );
    expect(socket.sent.length).toBe(said + 1);
  });
});

describe("accepting", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] }));
  afterEach(() => void vi.useRealTimers());

  const CLIENT: readonly Uint8Array[] = [
    Buffer.from("AMQP\x03\x01\x00\x00", "latin1"),
    Buffer.from("00000019020100000053 41 c00c01a309414e4f4e594d4f5553".replaceAll(" ", ""), "hex"),
    Buffer.from("AMQP\x00\x01\x00\x00", "latin1"),
    rheaFrames.write_frame(rheaFrames.amqp_frame(0, rheaFrames["open"]({ container_id: "client" }))),
  ];

  function accepted() {
    const socket = new FakeSocket();
    const failures: string[] = [];
    const opens: string[] = [];
    const handlers = accept(socket, {
      containerId: "server",
      sasl: new Authenticator(),
      onOpen: (connection) => opens.push(connection.remote.containerId),
      onLink() {},
      onFailure: (failure) => failures.push(failure.message),
    });
    return { socket, failures, opens, handlers };
  }

  it.each([0, 1, 2, 3])(
    "accept reports a client once that is silent after %s parts of the handshake",
    async (count) => {
      const { socket, failures, opens, handlers } = accepted();
      for (const bytes of CLIENT.slice(0, count)) handlers.data(bytes);
      vi.advanceTimersByTime(15_000);
      handlers.close(new Error("fake: reset"));
      await turn();
      expect([failures, opens]).toEqual([["fake: no AMQP 1.0 connection within 15000 ms"], []]);
      expect([vi.getTimerCount(), socket.isClosed]).toEqual([0, true]);
    },
  );

  it("accept reports no failure once the connection is open, and leaves no timer behind", async () => {
    const { socket, failures, opens, handlers } = accepted();
    handlers.data(Buffer.concat(CLIENT));
    expect([opens, vi.getTimerCount()]).toEqual([["client"], 0]);
    handlers.close(new Error("fake: reset"));
    await turn();
    expect([failures, socket.isClosed]).toEqual([[], true]);
  });

  it("accept reports a client once that speaks another protocol, at any point of the handshake", async () => {
    for (let count = 0; count < 4; count++) {
      const { failures, handlers, socket } = accepted();
      for (const bytes of CLIENT.slice(0, count)) handlers.data(bytes);
      handlers.data(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
      await turn();
      handlers.close();
      await turn();
      expect(failures).toHaveLength(1);
      expect(socket.isClosed).toBe(true);
    }
    expect(vi.getTimerCount()).toBe(0);
  });
});
