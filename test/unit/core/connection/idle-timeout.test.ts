import { afterEach, describe, expect, it, vi } from "vitest";
import { IdleTimeout } from "@/src/core/connection/idle-timeout.js";
import { Output } from "@/src/core/links/output.js";
import { BEGIN, begun, connectTo, opened } from "@/test/fixtures/beds/raw-bed.js";
import { FakeSocket } from "@/test/fixtures/fakes/fake-socket.js";
import { RawPeer, WINDOW } from "@/test/fixtures/peers/raw-peer.js";
import { turn } from "@/test/fixtures/stages/turn.js";

describe("heartbeats", () => {
  it("a connection sends heartbeats to a peer with an idle-time-out", {
    tags: ["connection:idle-timeout"],
  }, async () => {
    const { peer } = await opened({ idle_time_out: 100 });
    expect((await peer.next("empty")).size).toBe(8);
    await peer.next("empty");
  });

  it("a connection announces half of its idle timeout, and ends after all of it without data", {
    tags: ["connection:idle-timeout"],
  }, async () => {
    const peer = new RawPeer();
    const connecting = connectTo(peer, { idleTimeoutMs: 200 });
    expect((await peer.next("open")).fields["idle_time_out"]).toBe(100);
    peer.send("open", { container_id: "raw" });
    const connection = await connecting;
    expect((await connection.closed)?.message).toMatch(/no data received for \d+ ms/);
    const close = await peer.next("close");
    expect(JSON.stringify(close.fields)).toContain("amqp:resource-limit-exceeded");
  });
});

describe("a connection that is checked", () => {
  const toFake = ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] as const;

  afterEach(() => void vi.useRealTimers());

  it("a check begins a session, ends it when the peer has begun it, and the connection stays open", async () => {
    const { peer, connection } = await opened();
    vi.useFakeTimers({ toFake: [...toFake] });
    connection.check();
    connection.check();
    const { channel } = await peer.next("begin");
    await vi.advanceTimersByTimeAsync(4_000);
    peer.send("begin", { remote_channel: channel, ...BEGIN }, { channel });
    await peer.next("end");
    peer.send("end", {}, { channel });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connection.isOpen).toBe(true);
    connection.check();
    await peer.next("begin");
  });

  it("a connection sends only an end on the session of a check, even if the peer's flows ask for an answer", async () => {
    const { peer, connection } = await opened();
    connection.check();
    const { channel } = await peer.next("begin");
    peer.send("begin", { remote_channel: channel, ...BEGIN }, { channel });
    peer.send("flow", { ...WINDOW, echo: true }, { channel });
    await peer.next("end");
    peer.send("flow", { ...WINDOW, echo: true }, { channel });
    await turn();
    connection.check();
    await peer.next("begin");
  });

  it("a checked connection is lost when no data arrives for 5 s, regardless of its idle timeout", async () => {
    const { peer, connection } = await opened();
    vi.useFakeTimers({ toFake: [...toFake] });
    connection.check();
    await peer.next("begin");
    await vi.advanceTimersByTimeAsync(5_000);
    expect((await connection.closed)?.message).toContain("no data received for");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("a checked connection is not lost while data arrives, although the answer is slow", async () => {
    const { peer, connection } = await opened();
    vi.useFakeTimers({ toFake: [...toFake] });
    connection.check();
    const { channel } = await peer.next("begin");
    for (let i = 0; i < 10; i++) {
      await vi.advanceTimersByTimeAsync(3_000);
      peer.sendBytes(Uint8Array.of(0, 0, 0, 8, 2, 0, 0, 0));
      await Promise.resolve();
    }
    expect(connection.isOpen).toBe(true);
    peer.send("begin", { remote_channel: channel, ...BEGIN }, { channel });
    await peer.next("end");
  });

  it("a checked connection is not lost when the clock advances while the page is frozen", async () => {
    const { peer, connection } = await opened();
    vi.useFakeTimers({ toFake: [...toFake] });
    connection.check();
    const { channel } = await peer.next("begin");
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + 3_600_000);
    await vi.advanceTimersByTimeAsync(1_000);
    peer.send("begin", { remote_channel: channel, ...BEGIN }, { channel });
    await peer.next("end");
    expect(connection.isOpen).toBe(true);
    vi.restoreAllMocks();
  });

  it("a check does not end the connection when the peer accepts no more sessions", async () => {
    const { peer, connection } = await opened({ channel_max: 0 });
    const opening = connection.openSender({ name: "s", source: {}, target: { address: "q" } });
    await begun(peer);
    await peer.attachAsReceiver(1);
    await opening;
    vi.useFakeTimers({ toFake: [...toFake] });
    connection.check();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connection.isOpen).toBe(true);
  });

  it("a check sends a heartbeat that is due", async () => {
    const { peer, connection } = await opened({ idle_time_out: 60_000 });
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + 50_000);
    connection.check();
    await peer.next("empty");
    vi.restoreAllMocks();
  });
});

describe("an idle timeout", () => {
  const toFake = ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] as const;

  afterEach(() => void vi.useRealTimers());

  function bed(localMs: number) {
    const socket = new FakeSocket();
    const output = new Output(socket, { maxBufferedBytes: 1_000, onOverflow() {}, onWritable() {} });
    const silences: number[] = [];
    const idleTimeout = new IdleTimeout(output, localMs, (ms) => {
      silences.push(ms);
      idleTimeout.stop();
    });
    return { socket, silences, idleTimeout };
  }

  it("heartbeats are sent between half and three quarters of the peer's idle-time-out", () => {
    vi.useFakeTimers({ toFake: [...toFake] });
    const { socket, idleTimeout } = bed(0);
    idleTimeout.start(8_000);
    vi.advanceTimersByTime(60_000);
    expect(socket.sent.length).toBeGreaterThanOrEqual(10);
    expect(socket.sent.length).toBeLessThanOrEqual(15);
    idleTimeout.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("incoming data triggers a due heartbeat when timers are throttled", { tags: ["connection:throttled"] }, () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const { socket, idleTimeout } = bed(0);
    idleTimeout.start(8_000);
    vi.advanceTimersByTime(4_100);
    idleTimeout.received();
    idleTimeout.received();
    expect(socket.sent).toHaveLength(1);
    idleTimeout.stop();
  });

  it("heartbeats are at least 50 ms apart even for a peer's idle-time-out of 1 ms", () => {
    vi.useFakeTimers({ toFake: [...toFake] });
    const { socket, idleTimeout } = bed(0);
    idleTimeout.start(1);
    for (let i = 0; i < 1_000; i++) {
      vi.advanceTimersByTime(1);
      idleTimeout.received();
    }
    expect(socket.sent.length).toBeLessThanOrEqual(20);
    idleTimeout.stop();
  });

  it("silence is reported once, within one and a half times the idle timeout", () => {
    vi.useFakeTimers({ toFake: [...toFake] });
    const { silences, idleTimeout } = bed(10_000);
    idleTimeout.start(0);
    vi.advanceTimersByTime(9_000);
    idleTimeout.received();
    vi.advanceTimersByTime(10_000);
    expect(silences).toEqual([]);
    vi.advanceTimersByTime(5_000);
    expect(silences).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("data that arrives during a blocked event loop is not mistaken for silence", async () => {
    const { silences, idleTimeout } = bed(500);
    idleTimeout.start(0);
    await new Promise<void>((resolve) => {
      setImmediate(() => {
        const untilMs = performance.now() + 700;
        while (performance.now() < untilMs); // timers are due now, and run first
        setImmediate(() => {
          idleTimeout.received();
          setTimeout(resolve, 100);
        });
      });
    });
    expect(silences).toEqual([]);
    idleTimeout.stop();
  });

  it("no peer's idle-time-out makes a timer that is shorter than 50 ms or longer than an engine can wait", () => {
    vi.useFakeTimers({ toFake: [...toFake] });
    const intervals = vi.spyOn(globalThis, "setInterval");
    for (const remoteMs of [1, 100, 2 ** 31 - 2, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
      for (const localMs of [0, 0.5, 2 ** 31 - 1]) bed(localMs).idleTimeout.start(remoteMs);
    }
    for (const [, ms = 0] of intervals.mock.calls) {
      expect(ms).toBeGreaterThanOrEqual(50);
      expect(ms).toBeLessThanOrEqual(2 ** 31 - 1);
    }
  });

  it("no timer runs without idle timeouts, or with those longer than the longest timer", () => {
    vi.useFakeTimers({ toFake: [...toFake] });
    for (const remoteMs of [0, 2 ** 31, 2 ** 32 - 1]) bed(0).idleTimeout.start(remoteMs);
    expect(vi.getTimerCount()).toBe(0);
  });
});
