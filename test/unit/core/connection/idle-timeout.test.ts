import { afterEach, describe, expect, it, vi } from "vitest";
import { IdleTimeout } from "@/src/core/connection/idle-timeout.js";
import { Output } from "@/src/core/links/output.js";
import { BEGIN, begun, connectTo, opened } from "@/test/fixtures/beds/raw-bed.js";
import { FakeSocket } from "@/test/fixtures/fakes/fake-socket.js";
import { RawPeer, WINDOW } from "@/test/fixtures/peers/raw-peer.js";
import { turn } from "@/test/fixtures/stages/turn.js";

describe("heartbeats", () => {
  it("are sent to a peer that asks for them", { tags: ["connection:idle-timeout"] }, async () => {
    const { peer } = await opened({ idle_time_out: 100 });
    expect((await peer.next("empty")).size).toBe(8);
    await peer.next("empty");
  });

  it("announces half of the silence that is borne, and ends the connection after all of it", {
    tags: ["connection:idle-timeout"],
  }, async () => {
    const peer = new RawPeer();
    const connecting = connectTo(peer, { idleTimeoutMs: 200 });
    expect((await peer.next("open")).fields["idle_time_out"]).toBe(100);
    peer.send("open", { container_id: "raw" });
    const connection = await connecting;
    expect((await connection.closed)?.message).toMatch(/nothing came for \d+ ms/);
    const close = await peer.next("close");
    expect(JSON.stringify(close.fields)).toContain("amqp:resource-limit-exceeded");
  });
});

describe("a connection that is checked", () => {
  const toFake = ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] as const;

  afterEach(() => void vi.useRealTimers());

  it("asks the peer by a session that it ends when the peer has begun it, and takes that for life", async () => {
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

  it("says nothing more in that session than its end, whatever the peer asks for on it meanwhile", async () => {
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

  it("is lost when nothing comes for 5 s, however much silence is borne otherwise", async () => {
    const { peer, connection } = await opened();
    vi.useFakeTimers({ toFake: [...toFake] });
    connection.check();
    await peer.next("begin");
    await vi.advanceTimersByTimeAsync(5_000);
    expect((await connection.closed)?.message).toContain("nothing came for");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is not lost while something comes, though the answer is slow", async () => {
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

  it("is not lost because the clock went on while the page was frozen", async () => {
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

  it("is not asked where the peer takes no more sessions", async () => {
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

  it("speaks where the peer would soon think it gone", async () => {
    const { peer, connection } = await opened({ idle_time_out: 60_000 });
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + 50_000);
    connection.check();
    await peer.next("empty");
    vi.restoreAllMocks();
  });
});

describe("a heartbeat", () => {
  const toFake = ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] as const;

  afterEach(() => void vi.useRealTimers());

  function bed(localMs: number) {
    const socket = new FakeSocket();
    const output = new Output(socket, { maxBufferedBytes: 1_000, onOverflow() {}, onWritable() {} });
    const silences: number[] = [];
    const heartbeat = new IdleTimeout(output, localMs, (ms) => {
      silences.push(ms);
      heartbeat.stop();
    });
    return { socket, silences, heartbeat };
  }

  it("speaks before the peer has waited for three quarters of its time-out, and not while something else leaves", () => {
    vi.useFakeTimers({ toFake: [...toFake] });
    const { socket, heartbeat } = bed(0);
    heartbeat.start(8_000);
    vi.advanceTimersByTime(60_000);
    expect(socket.sent.length).toBeGreaterThanOrEqual(10);
    expect(socket.sent.length).toBeLessThanOrEqual(15);
    heartbeat.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("answers what comes with a heartbeat when the timers are throttled", { tags: ["connection:throttled"] }, () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const { socket, heartbeat } = bed(0);
    heartbeat.start(8_000);
    vi.advanceTimersByTime(4_100);
    heartbeat.received();
    heartbeat.received();
    expect(socket.sent).toHaveLength(1);
    heartbeat.stop();
  });

  it("answers no more often than it looks, however short the time-out is that the peer asks for", () => {
    vi.useFakeTimers({ toFake: [...toFake] });
    const { socket, heartbeat } = bed(0);
    heartbeat.start(1);
    for (let i = 0; i < 1_000; i++) {
      vi.advanceTimersByTime(1);
      heartbeat.received();
    }
    expect(socket.sent.length).toBeLessThanOrEqual(20);
    heartbeat.stop();
  });

  it("tells of silence once, within the time and a half", () => {
    vi.useFakeTimers({ toFake: [...toFake] });
    const { silences, heartbeat } = bed(10_000);
    heartbeat.start(0);
    vi.advanceTimersByTime(9_000);
    heartbeat.received();
    vi.advanceTimersByTime(10_000);
    expect(silences).toEqual([]);
    vi.advanceTimersByTime(5_000);
    expect(silences).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not take for silence what waited while the event loop was held up", async () => {
    const { silences, heartbeat } = bed(500);
    heartbeat.start(0);
    await new Promise<void>((resolve) => {
      setImmediate(() => {
        const untilMs = performance.now() + 700;
        while (performance.now() < untilMs); // timers are due now, and come first
        setImmediate(() => {
          heartbeat.received();
          setTimeout(resolve, 100);
        });
      });
    });
    expect(silences).toEqual([]);
    heartbeat.stop();
  });

  it("needs no timer where nobody asks for one, or for longer than timers have", () => {
    vi.useFakeTimers({ toFake: [...toFake] });
    for (const remoteMs of [0, 2 ** 31, 2 ** 32 - 1]) bed(0).heartbeat.start(remoteMs);
    expect(vi.getTimerCount()).toBe(0);
  });
});
