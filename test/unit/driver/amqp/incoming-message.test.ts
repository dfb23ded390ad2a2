import { describe, expect, test } from "vitest";
import type { Delivery } from "@/src/core/links/delivery.js";
import type { Message, MessageId } from "@/src/core/messages/message.js";
import { Uuid } from "@/src/core/types/uuid.js";
import { decodeReply, encodeRequest } from "@/src/driver/amqp/wire.js";
import type { IncomingMessage, ListenOptions } from "@/src/driver/driver.js";
import type { RemoteFailure } from "@/src/driver/exceptions.js";
import type { ResolvedOptions } from "@/src/driver/options/options.js";
import { ANYCAST, DriverPeer, driverBed, inbox, next, TARGET } from "@/test/fixtures/peers/driver-peer.js";

const REQUEST = { body: { method: "m", args: { a: 1 } }, context: { user: "u" } };
const CALL: Message = { messageId: "id-1", replyTo: "back", body: encodeRequest(REQUEST) };

async function serving(options: Partial<ResolvedOptions> = {}, listening: ListenOptions = {}, peer = new DriverPeer()) {
  const bed = driverBed(options, { peers: [peer] });
  const incoming = inbox();
  const target = TARGET.with({ server: "s" });
  await bed.driver.listen(target, (message) => incoming.put(message), listening);
  const link = await bed.peer.link(ANYCAST, "sender");
  const receive = async (message: Message): Promise<IncomingMessage> => {
    void bed.peer.send(link, message);
    return await next(incoming);
  };
  return { ...bed, incoming, link, receive };
}

describe("a request", () => {
  test("a request is decoded with its context, id and monitor timeout", async () => {
    const { receive } = await serving();
    const body = encodeRequest({ ...REQUEST, callMonitorTimeoutMs: 5_000 });
    expect(await receive({ ...CALL, body })).toMatchObject({
      body: REQUEST.body,
      context: REQUEST.context,
      messageId: "id-1",
      wantsReply: true,
      callMonitorTimeoutMs: 5_000,
    });
  });

  test.each<{ what: string; message: Message; reason: string }>([
    { what: "without a body", message: {}, reason: "The body of a request is missing" },
    {
      what: "of bytes that are no text",
      message: { body: { type: "data", bytes: Uint8Array.of(0xff) } },
      reason: "not UTF-8 text",
    },
    { what: "that is not JSON", message: { body: { type: "value", value: "secret{" } }, reason: "is not JSON" },
    { what: "that is no object", message: { body: { type: "value", value: "[]" } }, reason: "an array" },
    { what: "without a request", message: { body: { type: "value", value: "{}" } }, reason: 'no "request"' },
    {
      what: "in an envelope of another kind",
      message: {
        body: { type: "value", value: '{"request":{"oslo.version":"3.0","oslo.message":"{}"},"context":{}}' },
      },
      reason: "version, 3.0, not supported",
    },
  ])("a request $what is rejected and logged, and the next one is taken", async ({ message, reason }) => {
    const { peer, link, receive, logger, incoming } = await serving();
    expect(await peer.send(link, message)).toMatchObject({
      type: "rejected",
      error: { condition: "amqp:decode-error", description: expect.stringContaining(reason) },
    });
    const [warning] = logger.of("warn");
    expect(warning).toMatch(new RegExp(`^rejected a message of \\d+ bytes on ${ANYCAST}: `));
    expect(warning).not.toContain("secret");
    expect(incoming.unread).toEqual([]);
    expect(await receive(CALL)).toMatchObject({ body: REQUEST.body });
  });

  test("bytes that are no AMQP message are rejected", async () => {
    const { link, receive, logger } = await serving();
    const outcome = await link.sender?.send(Uint8Array.of(0x00, 0x53, 0x77, 0xa1, 0xff), { settled: false });
    expect(outcome).toMatchObject({ type: "rejected", error: { condition: "amqp:decode-error" } });
    expect(logger.of("warn")).toEqual([expect.stringContaining("rejected a message of 5 bytes")]);
    await receive(CALL);
  });

  test("a lost connection aborts the signal of a request, and settling it has no effect then", async () => {
    const { peer, receive } = await serving();
    const message = await receive(CALL);
    const { signal } = message;
    expect(signal.aborted).toBe(false);
    const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve));
    await peer.kill();
    await aborted;
    expect(signal.reason).toBeInstanceOf(Error);
    expect(message.signal).toBe(signal);
    message.acknowledge();
    message.requeue();
  });

  test("the signal of an answered request or a cast is not aborted by a lost connection", async () => {
    const { peer, receive, driver } = await serving();
    const answered = await receive(CALL);
    const cast = await receive({ body: encodeRequest(REQUEST) });
    const signals = [answered.signal, cast.signal];
    await answered.reply(1);
    await peer.kill();
    await driver.connect({});
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
  });

  test("the identity of a request has its reply address and its id", { tags: ["rpc:server:repeat"] }, async () => {
    const { receive } = await serving();
    const body = encodeRequest(REQUEST);
    const messages: Message[] = [CALL, { messageId: "id-1", body }, { messageId: 7n, body }, { body }];
    const identities: unknown[] = [];
    for (const message of messages) identities.push((await receive(message)).identity);
    expect(identities).toEqual(["back id-1", " id-1", " 7", undefined]);
  });

  test("each request has its own signal", async () => {
    const { receive } = await serving();
    const [one, other] = [await receive(CALL), await receive(CALL)];
    expect(one.signal).not.toBe(other.signal);
  });

  test("the signal of a request is aborted when it is read after a lost connection", async () => {
    const { peer, receive, driver } = await serving();
    const message = await receive(CALL);
    await peer.kill();
    await driver.connect({});
    expect(message.signal.aborted).toBe(true);
  });
});

describe("a reply", () => {
  test("a reply is sent settled to the reply address, with the id of the request", {
    tags: ["send:pre-settled:kinds"],
  }, async () => {
    const { peer, receive } = await serving();
    const message = await receive(CALL);
    await message.reply({ sum: 3 });
    const { name } = await peer.link("back", "receiver");
    expect(name).toMatch(/^openstack\.org\/om\/sender\/\[back\]\/[0-9a-f]{32}$/);
    const reply = await peer.message("back");
    expect(reply.settled).toBe(true);
    expect(reply.message).toMatchObject({
      to: "back",
      correlationId: "id-1",
      messageId: undefined,
      ttl: undefined,
      body: { type: "value", value: '{"response":{"sum":3}}' },
    });
  });

  test("a reply can be a failure", async () => {
    const { peer, receive } = await serving();
    const failure = { excType: "E", module: "m", message: "no", traceback: [], args: ["no"], kwargs: {} };
    await (await receive(CALL)).replyFailure(failure);
    expect((await peer.message("back")).message.body).toMatchObject({ value: expect.stringContaining('{"failure":"') });
  });

  test.each<{ type: string; id: MessageId; text: string }>([
    { type: "ulong", id: 7n, text: "7" },
    {
      type: "uuid",
      id: new Uuid(Uint8Array.from({ length: 16 }, (_, i) => i)),
      text: "00010203-0405-0607-0809-0a0b0c0d0e0f",
    },
    { type: "binary", id: Uint8Array.of(1, 2), text: "1,2" },
  ])("a reply keeps the type of a $type id", async ({ id, text }) => {
    const { peer, receive } = await serving();
    const message = await receive({ ...CALL, messageId: id });
    expect(message.messageId).toBe(text);
    await message.reply(1);
    expect((await peer.message("back")).message.correlationId).toEqual(id);
  });

  test("a reply that is not pre-settled waits for its acknowledgement, and is not sent again by default", {
    tags: ["rpc:server:reply-not-taken", "send:pre-settled:kinds"],
  }, async () => {
    const { peer, receive, logger } = await serving({ preSettled: [] });
    const replying = (await receive(CALL)).reply(1);
    const reply = await peer.message("back");
    expect(reply.settled).toBe(false);
    reply.release();
    await replying;
    expect(logger.of("warn")).toEqual([expect.stringContaining("RPC Reply message sent to back failed: released")]);
  });

  test("a released reply is sent again as often as the options allow", async () => {
    const { peer, receive, logger } = await serving({ preSettled: [], defaultReplyRetry: 1 });
    const replying = (await receive(CALL)).reply(1);
    (await peer.message("back")).release();
    (await peer.message("back")).accept();
    await replying;
    expect(logger.of("warn")).toEqual([]);
  });

  test("a reply that JSON cannot hold rejects, so that a failure can be sent", async () => {
    const { receive } = await serving();
    await expect((await receive(CALL)).reply(Number.NaN)).rejects.toThrow("response is NaN");
  });

  test("a reply to a cast is not sent", async () => {
    const { receive } = await serving();
    const message = await receive({ body: encodeRequest(REQUEST) });
    expect(message.wantsReply).toBe(false);
    await message.reply(1);
    message.heartbeat();
  });

  test("a reply without credit is discarded with its link after its timeout", {
    tags: ["rpc:server:reply-not-taken"],
  }, async () => {
    const { peer, receive, logger } = await serving({ defaultReplyTimeoutMs: 50 });
    const message = await receive(CALL);
    peer.credit = 0;
    await message.reply(1);
    const { name } = await peer.link("back", "receiver");
    expect(await peer.detached.take("a detach", (detached) => detached)).toBe(name);
    expect(logger.of("warn")).toEqual([expect.stringContaining("RPC Reply message sent to back failed: unsent")]);
  });

  test("a reply is sent over the next connection when its own is lost", async () => {
    const { peer, receive } = await serving();
    const message = await receive(CALL);
    await peer.kill();
    await message.reply("late");
    expect((await peer.message("back")).message.correlationId).toBe("id-1");
  });

  test("1,000 replies to different addresses use a bounded number of links", { timeout: 20_000 }, async () => {
    const { peer, receive } = await serving({ rpcServerCredit: 2_000 });
    const names: string[] = [];
    for (let i = 0; i <= 1_000; i++) {
      const message = await receive({ ...CALL, replyTo: `back-${i}` });
      message.acknowledge();
      await message.reply(i);
      names.push((await peer.link(`back-${i}`, "receiver")).name);
    }
    expect(await peer.detached.take("a detach", (name) => name)).toBe(names[0]);
    expect(peer.detached.unread).toEqual([]);
  });
});

describe("a reply that is rejected", () => {
  const FAILURE = { excType: "E", module: "m", message: "no", traceback: [], args: ["no"], kwargs: {} };
  const REJECTED = "rejected: amqp:resource-limit-exceeded: full";
  const FULL = { condition: "amqp:resource-limit-exceeded", description: "full" };

  /** A server whose peer accepts messages of up to `maxMessageBytes`. */
  async function servingWithin(maxMessageBytes: number) {
    return await serving({}, {}, Object.assign(new DriverPeer(), { maxMessageBytes }));
  }

  function failureIn({ message }: Delivery): RemoteFailure {
    const reply = decodeReply(message);
    if (reply.type !== "failure") throw new Error(`no failure: ${reply.type}`);
    return reply.failure;
  }

  test("a reply beyond the peer's max-message-size is replaced by a failure that names both sizes", {
    tags: ["rpc:server:reply-rejected"],
  }, async () => {
    const { peer, receive, logger } = await servingWithin(2_000);
    await (await receive(CALL)).reply("x".repeat(2_000));
    const failure = await peer.message("back");
    expect(failure.message).toMatchObject({ to: "back", correlationId: "id-1" });
    const text = expect.stringMatching(
      /^RPC Reply message failed: rejected: amqp:link:message-size-exceeded: message of 2\d{3} bytes exceeds the peer's limit of 2000 bytes/,
    );
    expect(failureIn(failure)).toEqual({
      excType: "MessageDeliveryFailure",
      module: "oslo_messaging.exceptions",
      message: text,
      traceback: [],
      args: [text],
      kwargs: {},
    });
    expect(logger.of("warn")).toEqual([]);
  });

  test("a reply beyond a max-message-size that no failure fits is logged once", {
    tags: ["rpc:server:reply-rejected"],
  }, async () => {
    const { peer, receive, logger } = await servingWithin(300);
    await (await receive(CALL)).reply("x".repeat(300));
    expect(logger.of("warn")).toEqual([expect.stringContaining("exceeds the peer's limit of 300 bytes")]);
    expect(peer.deliveries.unread).toEqual([]);
  });

  test("a failure beyond the peer's max-message-size is logged once, and not replaced", {
    tags: ["rpc:server:reply-rejected"],
  }, async () => {
    const { peer, receive, logger } = await servingWithin(2_000);
    await (await receive(CALL)).replyFailure({ ...FAILURE, message: "x".repeat(2_000) });
    expect(logger.of("warn")).toEqual([expect.stringContaining("exceeds the peer's limit of 2000 bytes")]);
    expect(peer.deliveries.unread).toEqual([]);
  });

  test("a reply that the peer rejects is replaced by a failure with the peer's reason", {
    tags: ["rpc:server:reply-rejected"],
  }, async () => {
    const { peer, receive, logger } = await serving({ preSettled: [] });
    const replying = (await receive(CALL)).reply(1);
    (await peer.message("back")).reject(FULL);
    const failure = await peer.message("back");
    failure.accept();
    await replying;
    expect(failureIn(failure).message).toBe(`RPC Reply message failed: ${REJECTED}`);
    expect(logger.of("warn")).toEqual([]);
  });

  test("a reply whose failure the peer rejects too is logged once", {
    tags: ["rpc:server:reply-rejected"],
  }, async () => {
    const { peer, receive, logger } = await serving({ preSettled: [] });
    const replying = (await receive(CALL)).reply(1);
    for (let times = 0; times < 2; times++) (await peer.message("back")).reject(FULL);
    await replying;
    expect(logger.of("warn")).toEqual([expect.stringContaining(`RPC Reply message sent to back failed: ${REJECTED}`)]);
    expect(peer.deliveries.unread).toEqual([]);
  });

  test("a reply in several frames is sent as it is", async () => {
    const { peer, receive } = await serving();
    await (await receive(CALL)).reply("x".repeat(200_000));
    expect(decodeReply((await peer.message("back")).message)).toEqual({ type: "response", value: "x".repeat(200_000) });
  });
});

describe("a reply address", () => {
  test("a reply address of more than 1,024 characters is not used", async () => {
    const { receive, logger } = await serving();
    expect((await receive({ ...CALL, replyTo: "x".repeat(1_024) })).wantsReply).toBe(true);
    expect((await receive({ ...CALL, replyTo: "x".repeat(1_025) })).wantsReply).toBe(false);
    expect(logger.of("warn")).toEqual(["no reply is sent to an address of 1025 characters"]);
  });

  test("acceptReplyTo can refuse a reply address, with a warning", async () => {
    const acceptReplyTo = (address: string): boolean => {
      if (address === "broken") throw new Error("oops");
      return address === "back";
    };
    const { receive, logger } = await serving({}, { acceptReplyTo });
    expect((await receive(CALL)).wantsReply).toBe(true);
    expect((await receive({ ...CALL, replyTo: "elsewhere" })).wantsReply).toBe(false);
    expect(logger.of("warn")).toEqual([expect.stringContaining("no reply is sent to a refused address")]);
    expect((await receive({ ...CALL, replyTo: "broken" })).wantsReply).toBe(false);
  });

  test("a reply address is refused when acceptReplyTo returns a promise", async () => {
    const acceptReplyTo = (async () => false) as unknown as () => boolean;
    const { receive } = await serving({}, { acceptReplyTo });
    expect((await receive(CALL)).wantsReply).toBe(false);
  });
});

test("a heartbeat is sent settled, with the id, a null body and the monitor timeout as ttl", async () => {
  const { peer, receive } = await serving({ preSettled: [] });
  const message = await receive({ ...CALL, body: encodeRequest({ ...REQUEST, callMonitorTimeoutMs: 5_000 }) });
  message.heartbeat();
  const heartbeat = await peer.message("back");
  expect(heartbeat.settled).toBe(true);
  expect(heartbeat.message).toMatchObject({
    to: "back",
    correlationId: "id-1",
    ttl: 5_000,
    body: { type: "value", value: null },
  });
});
