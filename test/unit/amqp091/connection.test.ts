import { afterEach, describe, expect, it, vi } from "vitest";
import { Deadlines } from "@/src/core/deadlines.js";
import { channelOf, channelWith, opened, publisherWith } from "@/test/fixtures/beds/raw-broker-bed.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { TUNE } from "@/test/fixtures/peers/raw-broker.js";
import { turn } from "@/test/fixtures/stages/turn.js";

const MESSAGE = { exchange: "", routingKey: "q", properties: {}, body: Buffer.from("m") };

function deadlineOf(ms: number) {
  return new Deadlines().start({ ms, expired: (phase) => new Error(`expired in ${phase}`) });
}

describe("closing a connection", () => {
  it("close sends connection.close and resolves with the answer", async () => {
    const { broker, connection } = await opened();
    const closing = connection.close();
    expect(connection.isOpen).toBe(false);
    expect((await broker.next("connection.close")).fields).toMatchObject({ replyCode: 200, classId: 0, methodId: 0 });
    broker.send(0, "connection.close-ok");
    await closing;
    await connection.close();
    expect(await connection.closed).toBe(undefined);
    await broker.closed;
  });

  it("close resolves when the stream ends before the answer", async () => {
    const { broker, connection } = await opened();
    const closing = connection.close();
    await broker.next("connection.close");
    broker.hangUp();
    await closing;
    expect(await connection.closed).toBe(undefined);
  });

  it("close resolves after 2 s when the broker does not answer", async () => {
    const { broker, connection } = await opened();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const closing = connection.close();
    await broker.next("connection.close");
    await vi.advanceTimersByTimeAsync(2_000);
    vi.useRealTimers();
    await closing;
  });

  it("everything outstanding fails when the connection is closed here", async () => {
    const { broker, connection, channel } = await publisherWith();
    const request = channel.request("queue.declare", { queue: "q" });
    const failed = expect(request).rejects.toThrow("closed");
    const published = channel.publish(MESSAGE);
    await broker.next("queue.declare");
    const closing = connection.close();
    await failed;
    expect(await published).toMatchObject({ type: "unknown", error: { name: "ConnectionLost" } });
    expect(await channel.publish(MESSAGE)).toMatchObject({ type: "unsent", error: { name: "ConnectionLost" } });
    broker.hangUp();
    await closing;
    await expect(connection.openChannel()).rejects.toThrow("closed");
    await expect(connection.updateSecret("s", "")).rejects.toThrow("closed");
  });

  it("the broker's connection.close is answered, and is the error of everything outstanding", async () => {
    const { broker, connection, channel } = await publisherWith();
    const request = channel.request("queue.declare", { queue: "q" });
    const failed = expect(request).rejects.toMatchObject({ code: 320 });
    const secret = expect(connection.updateSecret("s", "r")).rejects.toMatchObject({ code: 320 });
    const published = channel.publish(MESSAGE);
    await broker.next("queue.declare");
    broker.send(0, "connection.close", {
      replyCode: 320,
      replyText: "CONNECTION_FORCED - bye",
      classId: 1,
      methodId: 2,
    });
    const error = { name: "Amqp091Error", code: 320, text: "CONNECTION_FORCED - bye", classId: 1, methodId: 2 };
    expect(await connection.closed).toMatchObject(error);
    expect(await channel.closed).toMatchObject(error);
    await failed;
    await secret;
    expect(await published).toMatchObject({ type: "unknown", error });
    await broker.next("connection.update-secret");
    await broker.next("basic.publish");
    await broker.next("content-header");
    await broker.next("content-body");
    await broker.next("connection.close-ok");
    await broker.closed;
  });

  it("an end of the stream is the error of everything outstanding", async () => {
    const { broker, connection, channel } = await publisherWith();
    const failed = expect(channel.request("queue.declare", { queue: "q" })).rejects.toThrow("closed by the peer");
    const published = channel.publish(MESSAGE);
    broker.hangUp();
    expect(await connection.closed).toMatchObject({ name: "ConnectionLost" });
    await failed;
    expect((await published).type).toBe("unknown");
  });
});

describe("a connection that the broker blocks", () => {
  it("blocked has the reason until unblocked, and callers wait for credit", async () => {
    const reasons: (string | undefined)[] = [];
    const { broker, connection, channel } = await publisherWith({ onBlocked: (reason) => reasons.push(reason) });
    expect([connection.blocked, connection.writable, channel.writable]).toEqual([undefined, true, true]);
    broker.send(0, "connection.blocked", { reason: "low on memory" });
    await turn();
    expect([connection.blocked, connection.writable, channel.writable]).toEqual(["low on memory", false, false]);
    const waiting = channel.whenWritable(deadlineOf(60_000));
    await expect(channel.whenWritable(deadlineOf(10))).rejects.toThrow("expired in credit");
    broker.send(0, "connection.unblocked");
    await waiting;
    expect([connection.blocked, channel.writable]).toEqual([undefined, true]);
    expect(reasons).toEqual(["low on memory", undefined]);
  });

  it("callers that wait get the error of the channel or the connection", async () => {
    const { broker, connection, channel } = await publisherWith();
    const other = await channelOf(connection, broker);
    broker.send(0, "connection.blocked", { reason: "low on disk" });
    await turn();
    const waiting = expect(channel.whenWritable(deadlineOf(60_000))).rejects.toMatchObject({ code: 404 });
    const alsoWaiting = expect(other.whenWritable(deadlineOf(60_000))).rejects.toThrow("closed by the peer");
    broker.send(channel.id, "channel.close", { replyCode: 404 });
    await waiting;
    broker.hangUp();
    await alsoWaiting;
    await expect(other.whenWritable(deadlineOf(60_000))).rejects.toThrow("closed by the peer");
  });

  it("an onBlocked that throws is logged", async () => {
    const logger = new RecordingLogger();
    const { broker, connection } = await opened({
      logger,
      onBlocked: () => {
        throw new Error("mine");
      },
    });
    broker.send(0, "connection.blocked", { reason: "r" });
    await turn();
    expect(connection.isOpen).toBe(true);
    expect(logger.of("error").join()).toContain("onBlocked threw Error: mine");
  });

  it("a blocked connection is not probed", async () => {
    const { broker, connection } = await channelWith();
    broker.send(0, "connection.blocked", { reason: "r" });
    await turn();
    connection.check();
    await turn();
    expect(broker.received.unread).toEqual([]);
  });
});

describe("heartbeats", () => {
  const toFake = ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] as const;
  afterEach(() => void vi.useRealTimers());

  async function beating() {
    vi.useFakeTimers({ toFake: [...toFake] });
    return await opened({ heartbeatMs: 10_000 }, TUNE);
  }

  it("a heartbeat leaves when nothing else did for half an interval", async () => {
    const { broker, connection } = await beating();
    await vi.advanceTimersByTimeAsync(5_000);
    expect((await broker.next("heartbeat")).channel).toBe(0);
    broker.sendBytes(Buffer.from("08000000000000ce", "hex"));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(broker.received.unread).toEqual([]);
    expect(connection.isOpen).toBe(true);
  });

  it("arriving data is answered with a heartbeat when nothing left for half an interval, without a timer", async () => {
    const { broker } = await opened();
    const heartbeat = Buffer.from("08000000000000ce", "hex");
    broker.sendBytes(heartbeat);
    await turn();
    expect(broker.received.unread).toEqual([]);
    const now = performance.now.bind(performance);
    const clock = vi.spyOn(performance, "now").mockImplementation(() => now() + 30_000);
    broker.sendBytes(heartbeat);
    await broker.next("heartbeat");
    clock.mockRestore();
  });

  it("the connection is lost after two intervals of silence", async () => {
    const { connection } = await beating();
    await vi.advanceTimersByTimeAsync(19_000);
    expect(connection.isOpen).toBe(true);
    await vi.advanceTimersByTimeAsync(4_000);
    expect((await connection.closed)?.message).toMatch(/no data received for 2\d{4} ms/);
  });

  it("without heartbeats a silent connection lives", async () => {
    vi.useFakeTimers({ toFake: [...toFake] });
    const { connection } = await opened({ heartbeatMs: 0 }, TUNE);
    await vi.advanceTimersByTimeAsync(1e6);
    expect(connection.isOpen).toBe(true);
  });

  it("a check asks an open channel for its flow, once at a time", async () => {
    const { broker, connection, channel } = await channelWith();
    vi.useFakeTimers({ toFake: [...toFake] });
    connection.check();
    connection.check();
    const { channel: id, fields } = await broker.next("channel.flow");
    expect([id, fields]).toEqual([channel.id, { active: true }]);
    await vi.advanceTimersByTimeAsync(4_000);
    broker.send(id, "channel.flow-ok", { active: true });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(connection.isOpen).toBe(true);
  });

  it("a connection that the broker blocks while it is checked stays open", async () => {
    const { broker, connection } = await channelWith();
    vi.useFakeTimers({ toFake: [...toFake] });
    connection.check();
    await broker.next("channel.flow");
    broker.send(0, "connection.blocked", { reason: "low on memory" });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(connection.isOpen).toBe(true);
  });

  it("a check without channels opens one and closes it", async () => {
    const { broker, connection } = await opened();
    connection.check();
    const id = await broker.openChannel();
    await broker.next("channel.close");
    broker.send(id, "channel.close-ok");
    await turn();
    expect(connection.isOpen).toBe(true);
  });

  it("a checked connection is lost when no data arrives for 5 s", async () => {
    const { broker, connection } = await channelWith();
    vi.useFakeTimers({ toFake: [...toFake] });
    connection.check();
    await broker.next("channel.flow");
    await vi.advanceTimersByTimeAsync(6_000);
    expect((await connection.closed)?.message).toMatch(/no data received for/);
  });
});

describe("channel numbers", () => {
  it("the lowest free number is used, up to channel-max", async () => {
    const { broker, connection } = await opened({}, { ...TUNE, channelMax: 2 });
    const first = await channelOf(connection, broker);
    const second = await channelOf(connection, broker);
    expect([first.id, second.id]).toEqual([1, 2]);
    await expect(connection.openChannel()).rejects.toThrow("CHANNEL_ERROR - all 2 channels are in use (504)");
    const closing = first.close();
    await broker.next("channel.close");
    await expect(connection.openChannel()).rejects.toThrow("in use");
    broker.send(1, "channel.close-ok");
    await closing;
    expect((await channelOf(connection, broker)).id).toBe(1);
  });

  it("a number is free at once after the broker closed its channel", async () => {
    const { broker, connection, channel } = await channelWith();
    broker.send(1, "channel.close", { replyCode: 404, replyText: "NOT_FOUND" });
    await channel.closed;
    await broker.next("channel.close-ok");
    expect((await channelOf(connection, broker)).id).toBe(1);
  });

  it("when both sides close a channel, its number is free after the answer to our close", async () => {
    const { broker, connection, channel } = await channelWith();
    const closing = channel.close();
    await broker.next("channel.close");
    broker.send(1, "channel.close", { replyCode: 406, replyText: "PRECONDITION_FAILED" });
    await broker.next("channel.close-ok");
    await closing;
    expect((await channelOf(connection, broker)).id).toBe(2);
    broker.send(1, "channel.close-ok");
    await turn();
    expect((await channelOf(connection, broker)).id).toBe(1);
  });
});
