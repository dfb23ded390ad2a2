import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import type { Address, Socket } from "@/src/core/byte-stream.js";
import { type OpenWebSocket, type WebSocketDialOptions, webSocketDial } from "@/src/transports/websocket/dial.js";
import type { WebSocketLike } from "@/src/transports/websocket/socket.js";
import { FakeWebSocket } from "@/test/fixtures/fakes/fake-websocket.js";
import { Probe, pattern } from "@/test/fixtures/fakes/socket-probe.js";

const never = new AbortController().signal;
const to: Address = { scheme: "amqp+ws", hostname: "bus.example", port: 8080 };
const url = "ws://bus.example:8080/";

beforeEach(() => void vi.useFakeTimers());

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

interface Dialled {
  ws: FakeWebSocket;
  probe: Probe;
  dialled: Promise<Socket>;
}

function dial(address = to, signal = never, options: WebSocketDialOptions = {}): Dialled {
  const created: FakeWebSocket[] = [];
  const open: OpenWebSocket = (url, protocols) => {
    const ws = new FakeWebSocket(url, protocols);
    created.push(ws);
    return ws;
  };
  const probe = new Probe();
  const dialled = webSocketDial(open, options)(address, probe, signal);
  const [ws] = created;
  if (ws === undefined) throw new Error("no WebSocket was created");
  return { ws, probe, dialled };
}

async function opened(options?: WebSocketDialOptions): Promise<{ ws: FakeWebSocket; probe: Probe; socket: Socket }> {
  const { ws, probe, dialled } = dial(to, never, options);
  ws.opens();
  return { ws, probe, socket: await dialled };
}

describe("dialling with a browser's WebSocket", () => {
  it("the WebSocket of browsers is assignable to WebSocketLike", () => {
    expectTypeOf<WebSocket>().toExtend<WebSocketLike>();
  });

  it.each<[Partial<Address>, string]>([
    [{}, url],
    [{ path: "/amqp" }, "ws://bus.example:8080/amqp"],
    [{ path: "amqp" }, "ws://bus.example:8080/amqp"],
    [{ scheme: "amqp+wss" }, "wss://bus.example:8080/"],
    [{ tls: {} }, "wss://bus.example:8080/"],
    [{ hostname: "::1" }, "ws://[::1]:8080/"],
  ])("webSocketDial opens the URL of the address %j", async (address, expected) => {
    const { ws, dialled } = dial({ ...to, ...address });
    expect([ws.url, ws.protocols, ws.binaryType]).toEqual([expected, ["amqp"], "arraybuffer"]);
    ws.opens();
    expect(await dialled).toMatchObject({ id: expected, encrypted: expected.startsWith("wss") });
    ws.closes(1000);
  });

  it("webSocketDial rejects with the error of the constructor and names the URL", async () => {
    const mixedContent = new Error("An insecure WebSocket connection may not be initiated from a page over HTTPS.");
    const dialled = webSocketDial(() => {
      throw mixedContent;
    })(to, new Probe(), never);
    await expect(dialled).rejects.toThrow(`cannot open WebSocket ${url}: An insecure`);
    await expect(dialled).rejects.toMatchObject({ cause: mixedContent });
  });

  it("the error for mixed content says which URL to use", async () => {
    const dialled = webSocketDial(() => {
      throw new DOMException("The operation is insecure.", "SecurityError");
    })(to, new Probe(), never);
    await expect(dialled).rejects.toThrow(`cannot open WebSocket ${url}: an https page may open only wss://`);
  });

  it.each(["", "mqtt"])("webSocketDial refuses a server that selects the sub-protocol %j", async (protocol) => {
    const { ws, probe, dialled } = dial();
    ws.opens(protocol);
    await expect(dialled).rejects.toThrow(`the server at ${url} did not select the sub-protocol "amqp"`);
    expect(ws.closings).toHaveLength(1);
    ws.receives(new ArrayBuffer(8));
    ws.closes(1006);
    expect([probe.received, probe.closes]).toEqual([0, []]);
  });

  it.each(["Missing", "Mismatch"])("webSocketDial recognizes Bun's error: %s client protocol", async (fault) => {
    const { ws, dialled } = dial();
    ws.fails({ message: `WebSocket connection to '${url}' failed: ${fault} client protocol` });
    ws.closes(1002);
    await expect(dialled).rejects.toThrow(`the server at ${url} did not select the sub-protocol "amqp"`);
  });

  it("the error lists the possible causes when the browser reports none", async () => {
    const { ws, dialled } = dial();
    ws.fails();
    ws.closes(1006);
    await expect(dialled).rejects.toThrow(
      `cannot open WebSocket ${url}: closed with 1006, and the runtime reports no reason (a browser's console does): nothing`,
    );
  });

  it.each([
    [5672, "; this port is usually AMQP over TCP: use a relay or omit +ws"],
    [5671, "; this port is usually AMQP over TCP: use a relay or omit +ws"],
    [5673, ""],
  ])("the error for port %i names the likely mistake, if any", async (port, hint) => {
    for (const cause of [undefined, { message: "connection refused" }]) {
      const { ws, dialled } = dial({ ...to, port, path: "/a:5672/" });
      ws.fails(cause);
      ws.closes(1006);
      await expect(dialled).rejects.toThrow(new RegExp(`(refused|"amqp")${hint.replace("+", "\\+")}$`));
    }
  });

  it("the error for a peer that is known to speak AMQP over TCP has one hint", async () => {
    const { ws, dialled } = dial({ ...to, port: 5672 });
    ws.fails({ message: "it speaks AMQP over TCP: use a relay or omit +ws" });
    ws.closes(1006);
    await expect(dialled).rejects.toThrow(/:5672\/: it speaks AMQP over TCP: use [^;]*\+ws$/);
  });

  it("the error contains the message of the error event (Deno)", async () => {
    const { ws, dialled } = dial();
    ws.fails({ message: "NetworkError: no route" });
    ws.closes(1006);
    await expect(dialled).rejects.toThrow(`cannot open WebSocket ${url}: NetworkError: no route`);
  });

  it("webSocketDial times out after connectTimeoutMs and ignores a later open event", async () => {
    const { ws, probe, dialled } = dial();
    const rejected = expect(dialled).rejects.toThrow(`cannot open WebSocket ${url}: timed out after 10000 ms`);
    await vi.advanceTimersByTimeAsync(9999);
    expect(ws.closings).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await rejected;
    expect(ws.closings).toHaveLength(1);
    ws.opens();
    ws.receives(new ArrayBuffer(8));
    ws.closes(1006);
    expect([probe.received, probe.closes]).toEqual([0, []]);
  });

  it("webSocketDial rejects with the reason of the signal and closes the WebSocket", async () => {
    const abort = new AbortController();
    const { ws, dialled } = dial(to, abort.signal);
    abort.abort("no longer");
    await expect(dialled).rejects.toBe("no longer");
    expect(ws.closings).toHaveLength(1);
  });
});

describe("a stream over a browser's WebSocket", () => {
  it("a WebSocket stream splits its bytes into messages of at most 64 KiB", async () => {
    const { ws, socket } = await opened();
    const bytes = pattern(2 * 65_536 + 1);
    socket.send(bytes);
    expect(ws.sent.map((message) => message.length)).toEqual([65_536, 65_536, 1]);
    expect(Buffer.compare(Buffer.concat(ws.sent), bytes)).toBe(0);
    ws.closes(1000);
  });

  it("a WebSocket stream asks to wait beyond its budget, and calls drain once half of the budget is free", async () => {
    const { ws, probe, socket } = await opened({ budgetBytes: 1000 });
    expect(socket.send(pattern(1000))).toBe(true);
    expect(socket.send(pattern(1))).toBe(false);
    expect(socket.buffered).toBe(1001);
    ws.bufferedAmount = 501;
    await vi.advanceTimersByTimeAsync(1000);
    expect(probe.drains).toBe(0);
    expect(socket.send(pattern(1))).toBe(false);
    ws.bufferedAmount = 500;
    await vi.advanceTimersByTimeAsync(10);
    expect(probe.drains).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
    expect(socket.send(pattern(1))).toBe(true);
    ws.closes(1000);
  });

  it("the default budget of a WebSocket stream is 1 MiB", async () => {
    const { ws, socket } = await opened();
    expect(socket.send(pattern(1024 * 1024))).toBe(true);
    expect(socket.send(pattern(1))).toBe(false);
    ws.closes(1000);
  });

  it("a WebSocket stream checks for room at each message, because hidden pages throttle timers", async () => {
    const { ws, probe, socket } = await opened({ budgetBytes: 1000 });
    socket.send(pattern(1001));
    ws.bufferedAmount = 0;
    ws.receives(new ArrayBuffer(8));
    expect(probe.drains).toBe(1);
    ws.closes(1000);
  });

  it("a WebSocket stream does not call drain after its data handler has closed it", async () => {
    const { ws, probe, socket } = await opened({ budgetBytes: 1000 });
    socket.send(pattern(1001));
    ws.bufferedAmount = 0;
    probe.onData = () => socket.close();
    ws.receives(new ArrayBuffer(8));
    expect(probe.drains).toBe(0);
    expect(vi.getTimerCount()).toBe(1);
    ws.closes(1000);
  });

  it("a WebSocket stream never asks to wait if bufferedAmount is undefined (workerd)", async () => {
    const { ws, socket } = await opened({ budgetBytes: 1000 });
    Object.defineProperty(ws, "bufferedAmount", { get: () => undefined, set() {} });
    expect(socket.send(pattern(100_000))).toBe(true);
    expect(socket.buffered).toBe(0);
    ws.closes(1000);
  });

  it("a closed WebSocket stream stops polling for room", async () => {
    const { ws, probe, socket } = await opened({ budgetBytes: 1000 });
    socket.send(pattern(1001));
    ws.closes(1006);
    expect(vi.getTimerCount()).toBe(0);
    expect(probe.drains).toBe(0);
  });

  it("a WebSocket stream does not send while the peer is closing", async () => {
    const { ws, socket } = await opened();
    ws.readyState = 2;
    expect(socket.send(pattern(1))).toBe(false);
    expect(ws.sent).toEqual([]);
    ws.closes(1000);
  });

  it("a WebSocket stream closes with the error when send throws", async () => {
    const { ws, probe, socket } = await opened();
    const cause = new Error("Can't call WebSocket send() after close().");
    vi.spyOn(ws, "send").mockImplementation(() => {
      throw cause;
    });
    expect(socket.send(pattern(1))).toBe(false);
    ws.closes(1006);
    expect(probe.closes).toMatchObject([{ message: `${url}: cannot send: ${cause.message}`, cause }]);
  });

  it.each([
    ["text", "hello"],
    ["unknown", { size: 5 }],
  ])("a WebSocket stream closes with an error at a message of kind %s", async (kind, data) => {
    const { ws, probe } = await opened();
    ws.receives(data);
    ws.receives(new ArrayBuffer(8));
    ws.closes(4000);
    expect(probe.closes.map(String)).toEqual([`Error: ${url}: received a ${kind} message, but AMQP is binary`]);
    expect(probe.received).toBe(0);
  });

  it.each<[number, string, string | undefined]>([
    [1000, "", undefined],
    [1005, "", undefined],
    [1001, "", `Error: WebSocket closed by the server: 1001 (${url})`],
    [1006, "", `Error: WebSocket closed by the server: 1006 (${url})`],
    [1011, "out of memory", `Error: WebSocket closed by the server: 1011 "out of memory" (${url})`],
  ])(
    "a WebSocket stream that is closed with code %i reports an error unless that is orderly",
    async (code, reason, expected) => {
      const { ws, probe } = await opened();
      ws.closes(code, reason);
      ws.closes(code, reason);
      expect(probe.closes.map((error) => (error === undefined ? undefined : String(error)))).toEqual([expected]);
    },
  );

  it("a WebSocket stream ends two seconds after close() when the peer does not answer", async () => {
    const { ws, probe, socket } = await opened();
    socket.close();
    expect(ws.closings).toEqual([1000]);
    await vi.advanceTimersByTimeAsync(1999);
    expect(probe.closes).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(probe.closes.map(String)).toEqual([`Error: ${url}: the peer did not close the stream within 2000 ms`]);
    ws.closes(1006);
    expect(probe.late).toEqual([]);
  });

  it("a WebSocket stream waits longer for its end while bytes are unsent, but at most 32 s", async () => {
    const { ws, probe, socket } = await opened();
    socket.send(pattern(100));
    socket.close();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(probe.closes).toEqual([]);
    ws.bufferedAmount = 0;
    await vi.advanceTimersByTimeAsync(2000);
    expect(probe.closes).toHaveLength(1);

    const stuck = await opened();
    stuck.socket.send(pattern(100));
    stuck.socket.close();
    await vi.advanceTimersByTimeAsync(32_000);
    expect(stuck.probe.closes).toHaveLength(1);
  });
});
