import { deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Properties } from "@/src/amqp091/properties.js";
import { MessageDeliveryFailure } from "@/src/driver/exceptions.js";
import type { ListenerInit } from "@/src/driver/rabbit/listener.js";
import { KnownIds } from "@/src/driver/values/known-ids.js";
import { attached, notification, PROPERTIES, request } from "@/test/fixtures/beds/rabbit-listener-bed.js";

const COMPRESSED = { ...PROPERTIES, headers: { compression: "application/x-gzip" } };

async function consuming(more: Partial<ListenerInit> = {}) {
  const bed = await attached(["q"], more);
  let tags = 0;
  const deliver = (body: Uint8Array, properties: Properties = PROPERTIES): void => {
    const fields = { consumerTag: "1", deliveryTag: ++tags, redelivered: false, exchange: "", routingKey: "q" };
    bed.broker.sendContent(bed.channel, "basic.deliver", fields, body, properties);
  };
  return { ...bed, deliver };
}

function rejection(outcome: "rejected" | "unsent"): MessageDeliveryFailure {
  const facts = { operation: "RPC Reply", target: "t", phase: "acknowledgement", address: "a", host: "h" } as const;
  const cause = new Error("too large");
  return new MessageDeliveryFailure({ ...facts, timeoutMs: 1, elapsedMs: 1, outcome, reason: "too large", cause });
}

describe("a request from a queue", () => {
  it("a request is decoded with its context, its ids and its monitor timeout, and acknowledged", async () => {
    const { deliver, next, broker } = await consuming();
    deliver(request("u1", { callMonitorTimeoutMs: 5_000 }));
    const message = await next();
    expect(message).toMatchObject({
      body: { method: "m", args: { a: 1 } },
      context: { user: "u" },
      messageId: "id-1",
      identity: "u1",
      wantsReply: true,
      callMonitorTimeoutMs: 5_000,
      linkLost: false,
    });
    message.acknowledge();
    expect((await broker.next("basic.ack")).fields).toMatchObject({ deliveryTag: 1 });
  });

  it("a cast wants no reply, and a reply or a heartbeat to it sends nothing", async () => {
    const { deliver, next, replies } = await consuming();
    deliver(request("u1"));
    const message = await next();
    expect(message).toMatchObject({ wantsReply: false, messageId: undefined, callMonitorTimeoutMs: undefined });
    await message.reply(1);
    message.heartbeat();
    expect([...replies.sent, ...replies.heartbeats]).toEqual([]);
  });

  it("a request that is requeued is rejected with requeue", async () => {
    const { deliver, next, broker } = await consuming();
    deliver(request("u1"));
    (await next()).requeue();
    expect((await broker.next("basic.reject")).fields).toMatchObject({ deliveryTag: 1, requeue: true });
  });

  it.each([
    ["reply_1", undefined, true],
    ["nova", undefined, false],
    ["nova", (name: string) => name === "nova", true],
    ["reply_1", () => false, false],
    [`reply_${"x".repeat(1_019)}`, undefined, false],
  ])(
    "a reply to %.10s is sent when its name is accepted: by default those of oslo",
    async (replyQueue, acceptReplyTo, wantsReply) => {
      const { deliver, next, logger } = await consuming({ acceptReplyTo });
      deliver(request("u1", { replyQueue }));
      expect(await next()).toMatchObject({ wantsReply, messageId: "id-1" });
      expect(logger.of("warn")).toHaveLength(wantsReply ? 0 : 1);
    },
  );

  it("the signal of a call is aborted when the driver is closed, until its reply is sent", async () => {
    const { deliver, next, aborts, broker, connection } = await consuming();
    deliver(request("u1", {}));
    deliver(request("u2", {}));
    deliver(request("u3"));
    const [call, answered, cast] = [await next(), await next(), await next()];
    const signals = [call.signal, answered.signal, cast.signal];
    await answered.reply(1);
    broker.hangUp();
    await connection.closed;
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false, false]);
    aborts.abort(new Error("closed"));
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false, false]);
  });

  it("a message whose connection is lost is lost, and settling it has no effect", async () => {
    const { deliver, next, broker, connection } = await consuming();
    deliver(request("u1"));
    const message = await next();
    broker.hangUp();
    await connection.closed;
    expect(message.linkLost).toBe(true);
    message.acknowledge();
    message.requeue();
    expect(message.linkLost).toBe(true);
  });
});

describe("a reply", () => {
  it("replies, failures and heartbeats are sent to the queue of the request", async () => {
    const { deliver, next, replies } = await consuming();
    deliver(request("u1", { callMonitorTimeoutMs: 5_000 }));
    const message = await next();
    message.heartbeat();
    await message.reply({ sum: 3 });
    await message.replyFailure({ excType: "E", module: "m", message: "x", traceback: [], args: [], kwargs: {} });
    const to = { messageId: "id-1", replyQueue: "reply_1", callMonitorTimeoutMs: 5_000 };
    expect(replies.heartbeats).toEqual([to]);
    expect(replies.sent.map((sent) => sent.to)).toEqual([to, to]);
    const [reply, failure] = replies.sent.map(({ text }) => JSON.parse(JSON.parse(text)["oslo.message"]));
    expect(reply).toEqual({
      result: { sum: 3 },
      failure: null,
      ending: true,
      _msg_id: "id-1",
      _unique_id: "u".repeat(32),
    });
    expect(JSON.parse(failure.failure)).toMatchObject({ class: "E", message: "x" });
  });

  it("a failure is sent in the place of a reply that the broker rejects", async () => {
    const { deliver, next, replies, logger } = await consuming();
    deliver(request("u1", {}));
    replies.refuse = () => (replies.sent.length === 1 ? rejection("rejected") : undefined);
    await (await next()).reply("large");
    expect(replies.sent).toHaveLength(2);
    expect(replies.sent[1]?.text).toContain("RPC Reply message failed: rejected: too large");
    expect(logger.of("warn")).toEqual([]);
  });

  it("a reply that is not delivered is warned of", async () => {
    const { deliver, next, replies, logger } = await consuming();
    deliver(request("u1", {}));
    replies.refuse = () => rejection("unsent");
    await (await next()).reply(1);
    expect(replies.sent).toHaveLength(1);
    expect(logger.of("warn")).toEqual([rejection("unsent").message]);
  });

  it("a result that JSON cannot hold is a TypeError", async () => {
    const { deliver, next } = await consuming();
    deliver(request("u1", {}));
    await expect((await next()).reply(new Map())).rejects.toThrow(TypeError);
  });
});

describe("a notification from a queue", () => {
  it("a repeat of an acknowledged notification is acknowledged and not handed over", async () => {
    const { deliver, next, broker, incoming, logger } = await consuming({ acknowledged: new KnownIds() });
    deliver(notification("n1"));
    const message = await next();
    deliver(notification("n1"));
    (await next()).requeue();
    expect((await broker.next("basic.reject")).fields).toMatchObject({ deliveryTag: 2 });
    message.acknowledge();
    expect((await broker.next("basic.ack")).fields).toMatchObject({ deliveryTag: 1 });
    deliver(notification("n1"));
    expect((await broker.next("basic.ack")).fields).toMatchObject({ deliveryTag: 3 });
    deliver(notification("n2"));
    expect(await next()).toMatchObject({ identity: "n2" });
    expect(incoming.unread).toEqual([]);
    expect(logger.of("debug")).toEqual(["acknowledged a repeated notification: it was handled before"]);
    expect(logger.of("warn")).toEqual([]);
  });

  it("a notification that is handled while its connection is lost is a repeat afterwards", async () => {
    const acknowledged = new KnownIds();
    const { deliver, next, broker, connection } = await consuming({ acknowledged });
    deliver(notification("n1"));
    const message = await next();
    broker.hangUp();
    await connection.closed;
    message.acknowledge();
    expect(acknowledged.has("n1")).toBe(true);
  });
});

describe("an unreadable message", () => {
  it.each<[what: string, body: Uint8Array, properties: Properties, reason: string]>([
    ["that is not JSON", Buffer.from("secret{"), PROPERTIES, "is not JSON"],
    ["that is not UTF-8", Buffer.of(0xff), PROPERTIES, "1 bytes that are not UTF-8 text"],
    ["of another content type", request("u"), { contentType: "text/plain" }, "the content type text/plain"],
    [
      "of another compression",
      request("u"),
      { ...PROPERTIES, headers: { compression: "application/x-bz2" } },
      'The compression "application/x-bz2" is not supported',
    ],
    ["that is garbage in place of a zlib stream", Buffer.from("secret"), COMPRESSED, "The body cannot be decompressed"],
    [
      "that is too large when it is decompressed",
      deflateSync(Buffer.alloc(2_000_000)),
      COMPRESSED,
      "exceeds the limit of 1000000 bytes",
    ],
  ])(
    "a message %s is rejected without requeue and logged, and the next one is taken",
    async (_, body, properties, reason) => {
      const { deliver, next, broker, logger, incoming } = await consuming();
      deliver(body, properties);
      deliver(request("u1"));
      expect((await broker.next("basic.reject")).fields).toMatchObject({ deliveryTag: 1, requeue: false });
      expect(await next()).toMatchObject({ identity: "u1" });
      expect(incoming.unread).toEqual([]);
      const [warning, ...more] = logger.of("warn");
      expect(warning).toMatch(new RegExp(`^rejected a message of ${body.length} bytes from queue q: `));
      expect(warning).toContain(reason);
      expect(warning).not.toContain("secret");
      expect(more).toEqual([]);
    },
  );
});

describe("compressed messages", () => {
  it("compressed messages are read, and messages behind them keep their order", async () => {
    const { deliver, next } = await consuming();
    deliver(request("u1"));
    deliver(deflateSync(request("u2")), COMPRESSED);
    deliver(request("u3"));
    deliver(deflateSync(request("u4")), COMPRESSED);
    deliver(request("u5"));
    const ids = [];
    for (let n = 0; n < 5; n++) ids.push((await next()).identity);
    expect(ids).toEqual(["u1", "u2", "u3", "u4", "u5"]);
    deliver(request("u6"));
    expect(await next()).toMatchObject({ identity: "u6" });
  });

  it("messages that are being decompressed when the listener stops are given back", async () => {
    const { deliver, broker, listener, channel, incoming } = await consuming();
    deliver(deflateSync(request("u1")), COMPRESSED);
    deliver(request("u2"));
    const stopping = listener.stop();
    await broker.next("basic.cancel");
    for (const deliveryTag of [1, 2]) {
      expect((await broker.next("basic.reject")).fields).toMatchObject({ deliveryTag, requeue: true });
    }
    broker.send(channel, "basic.cancel-ok", { consumerTag: "1" });
    await stopping;
    expect(incoming.unread).toEqual([]);
  });
});
