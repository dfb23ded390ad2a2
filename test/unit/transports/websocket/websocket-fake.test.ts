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
  const made: FakeWebSocket[] = [];
  const open: OpenWebSocket = (url, protocols) => {
    const ws = new FakeWebSocket(url, protocols);
    made.push(ws);
    return ws;
  };
  const probe = new Probe();
  const dialled = webSocketDial(open, options)(address, probe, signal);
  const [ws] = made;
  if (ws === undefined) throw new Error("no WebSocket was made");
  return { ws, probe, dialled };
}

async function opened(options?: WebSocketDialOptions): Promise<{ ws: FakeWebSocket; probe: Probe; socket: Socket }> {
  const { ws, probe, dialled } = dial(to, never, options);
  ws.opens();
  return { ws, probe, socket: await dialled };
}

describe("dialling with a browser's WebSocket", () => {
  it("takes those of browsers", () => {
    expectTypeOf<WebSocket>().toExtend<WebSocketLike>();
  });

  it.each<[Partial<Address>, string]>([
    [{}, url],
    [{ path: "/amqp" }, "ws://bus.example:8080/amqp"],
    [{ path: "amqp" }, "ws://bus.example:8080/amqp"],
    [{ scheme: "amqp+wss" }, "wss://bus.example:8080/"],
    [{ tls: {} }, "wss://bus.example:8080/"],
    [{ hostname: "::1" }, "ws://[::1]:8080/"],
  ])("makes the URL of %j", async (address, expected) => {
    const { ws, dialled } = dial({ ...to, ...address });
    expect([ws.url, ws.protocols, ws.binaryType]).toEqual([expected, ["amqp"], "arraybuffer"]);
    ws.opens();
    expect(await dialled).toMatchObject({ id: expected, encrypted: expected.startsWith("wss") });
    ws.closes(1000);
  });

  it("turns what the constructor throws into a rejection that names the URL", async () => {
    const mixedContent = new Error("An insecure WebSocket connection may not be initiated from a page over HTTPS.");
    const dialled = webSocketDial(() => {
      throw mixedContent;
    })(to, new Probe(), never);
    await expect(dialled).rejects.toThrow(`cannot open WebSocket ${url}: An insecure`);
    await expect(dialled).rejects.toMatchObject({ cause: mixedContent });
  });

  it("says of mixed content what is to be done", async () => {
    const dialled = webSocketDial(() => {
      throw new DOMException("The operation is insecure.", "SecurityError");
    })(to, new Probe(), never);
    await expect(dialled).rejects.toThrow(`cannot open WebSocket ${url}: a page from https may open only wss://`);
  });

  it.each(["", "mqtt"])("refuses a server that selects the sub-protocol %j", async (protocol) => {
    const { ws, probe, dialled } = dial();
    ws.opens(protocol);
    await expect(dialled).rejects.toThrow(`the server at ${url} did not select the sub-protocol "amqp"`);
    expect(ws.closings).toHaveLength(1);
    ws.receives(new ArrayBuffer(8));
    ws.closes(1006);
    expect([probe.received, probe.closes]).toEqual([0, []]);
  });

  it.each(["Missing", "Mismatch"])("refuses one that does not, as Bun tells: %s client protocol", async (what) => {
    const { ws, dialled } = dial();
    ws.fails({ message: `WebSocket connection to '${url}' failed: ${what} client protocol` });
    ws.closes(1002);
    await expect(dialled).rejects.toThrow(`the server at ${url} did not select the sub-protocol "amqp"`);
  });

  it("says what is known when the browser tells nothing", async () => {
    const { ws, dialled } = dial();
    ws.fails();
    ws.closes(1006);
    await expect(dialled).rejects.toThrow(
      `cannot open WebSocket ${url}: closed with 1006, and the runtime does not tell why (a browser's console does): nothing`,
    );
  });

  it("says what the error event tells (Deno)", async () => {
    const { ws, dialled } = dial();
    ws.fails({ message: "NetworkError: no route" });
    ws.closes(1006);
    await expect(dialled).rejects.toThrow(`cannot open WebSocket ${url}: NetworkError: no route`);
  });

  it("gives up after the connect timeout, and ignores an opening that comes later", async () => {
    const { ws, probe, dialled } = dial();
    const rejected = expect(dialled).rejects.toThrow(`cannot open WebSocket ${url}: no answer within 10000 ms`);
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

  it("gives up with the reason of the signal", async () => {
    const abort = new AbortController();
    const { ws, dialled } = dial(to, abort.signal);
    abort.abort("no longer");
    await expect(dialled).rejects.toBe("no longer");
    expect(ws.closings).toHaveLength(1);
  });
});

describe("a stream over a browser's WebSocket", () => {
  it("cuts what it sends into messages of at most 64 KiB", async () => {
    const { ws, socket } = await opened();
    const bytes = pattern(2 * 65_536 + 1);
    socket.send(bytes);
    expect(ws.sent.map((message) => message.length)).toEqual([65_536, 65_536, 1]);
    expect(Buffer.compare(Buffer.concat(ws.sent), bytes)).toBe(0);
    ws.closes(1000);
  });

  it("asks to wait beyond its budget, and tells when half of it has left", async () => {
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

  it("has a budget of 1 MiB unless told", async () => {
    const { ws, socket } = await opened();
    expect(socket.send(pattern(1024 * 1024))).toBe(true);
    expect(socket.send(pattern(1))).toBe(false);
    ws.closes(1000);
  });

  it("looks for room when a message comes, since hidden pages slow timers down", async () => {
    const { ws, probe, socket } = await opened({ budgetBytes: 1000 });
    socket.send(pattern(1001));
    ws.bufferedAmount = 0;
    ws.receives(new ArrayBuffer(8));
    expect(probe.drains).toBe(1);
    ws.closes(1000);
  });

  it("does not tell of room to a handler that has just closed it", async () => {
    const { ws, probe, socket } = await opened({ budgetBytes: 1000 });
    socket.send(pattern(1001));
    ws.bufferedAmount = 0;
    probe.onData = () => socket.close();
    ws.receives(new ArrayBuffer(8));
    expect(probe.drains).toBe(0);
    expect(vi.getTimerCount()).toBe(1);
    ws.closes(1000);
  });

  it("never asks to wait where bufferedAmount is absent (workerd)", async () => {
    const { ws, socket } = await opened({ budgetBytes: 1000 });
    Object.defineProperty(ws, "bufferedAmount", { get: () => undefined, set() {} });
    expect(socket.send(pattern(100_000))).toBe(true);
    expect(socket.buffered).toBe(0);
    ws.closes(1000);
  });

  it("stops looking for room when it ends", async () => {
    const { ws, probe, socket } = await opened({ budgetBytes: 1000 });
    socket.send(pattern(1001));
    ws.closes(1006);
    expect(vi.getTimerCount()).toBe(0);
    expect(probe.drains).toBe(0);
  });

  it("does not send while the peer is closing", async () => {
    const { ws, socket } = await opened();
    ws.readyState = 2;
    expect(socket.send(pattern(1))).toBe(false);
    expect(ws.sent).toEqual([]);
    ws.closes(1000);
  });

  it("ends with the error when send throws", async () => {
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
  ])("ends with an error at a message that is %s", async (kind, data) => {
    const { ws, probe } = await opened();
    ws.receives(data);
    ws.receives(new ArrayBuffer(8));
    ws.closes(4000);
    expect(probe.closes.map(String)).toEqual([`Error: ${url}: a ${kind} message came, and AMQP is binary`]);
    expect(probe.received).toBe(0);
  });

  it.each<[number, string, string | undefined]>([
    [1000, "", undefined],
    [1005, "", undefined],
    [1001, "", `Error: WebSocket closed by the server: 1001 (${url})`],
    [1006, "", `Error: WebSocket closed by the server: 1006 (${url})`],
    [1011, "out of memory", `Error: WebSocket closed by the server: 1011 "out of memory" (${url})`],
  ])("ends by code %i", async (code, reason, expected) => {
    const { ws, probe } = await opened();
    ws.closes(code, reason);
    ws.closes(code, reason);
    expect(probe.closes.map((error) => (error === undefined ? undefined : String(error)))).toEqual([expected]);
  });

  it("ends two seconds after close() when the peer does not answer", async () => {
    const { ws, probe, socket } = await opened();
    socket.close();
    expect(ws.closings).toEqual([1000]);
    await vi.advanceTimersByTimeAsync(1999);
    expect(probe.closes).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(probe.closes.map(String)).toEqual([`Error: ${url}: cut, because the peer did not close it within 2000 ms`]);
    ws.closes(1006);
    expect(probe.late).toEqual([]);
  });

  it("waits longer for the end while bytes are leaving, but not for ever", async () => {
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
