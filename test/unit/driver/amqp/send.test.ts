import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { AmqpDriver } from "@/src/driver/amqp/driver.js";
import { encodeReply } from "@/src/driver/amqp/wire.js";
import { MessageDeliveryFailure, MessagingException } from "@/src/driver/exceptions.js";
import { Target } from "@/src/driver/target.js";
import {
  ANYCAST,
  callRequest,
  castRequest,
  DriverPeer,
  driverBed,
  failureOf,
  NOTIFICATIONS,
  notifyRequest,
  REPLIES,
  TARGET,
} from "@/test/fixtures/peers/driver-peer.js";

const UNSETTLED = { preSettled: [] };

describe("a cast", () => {
  test("a cast is sent settled, with a new id, without reply address and ttl", {
    tags: ["send:pre-settled", "send:pre-settled:kinds"],
  }, async () => {
    const { driver, peer } = driverBed();
    await driver.cast(castRequest());
    const { settled, message } = await peer.message();
    expect(settled).toBe(true);
    expect(message).toMatchObject({ to: ANYCAST, replyTo: undefined, ttl: undefined });
    expect(message.messageId).toMatch(/^[0-9a-f]{32}$/);
  });

  test("a cast with a timeout has a ttl", { tags: ["rpc:call:ttl"] }, async () => {
    const { driver, peer } = driverBed();
    await driver.cast(castRequest({ timeoutMs: 5_000 }));
    expect((await peer.message()).message.ttl).toBe(5_000);
  });

  test.each([
    { target: TARGET.with({ fanout: true }), address: "openstack.org/om/rpc/multicast/openstack/topic" },
    { target: TARGET.with({ server: "s" }), address: "openstack.org/om/rpc/unicast/openstack/topic/s" },
    { target: TARGET.with({ exchange: "e" }), address: "openstack.org/om/rpc/anycast/e/topic" },
  ])("a cast to $target is sent to $address", async ({ target, address }) => {
    const { driver, peer } = driverBed();
    await driver.cast(castRequest({ target }));
    expect((await peer.message(address)).message.to).toBe(address);
  });

  test("a cast requests a queue or a topic from Artemis", async () => {
    const peer = new DriverPeer();
    peer.product = "apache-activemq-artemis";
    const { driver } = driverBed({}, { peers: [peer] });
    await driver.cast(castRequest());
    await driver.cast(castRequest({ target: TARGET.with({ fanout: true }) }));
    expect(peer.links.unread.map(({ capabilities }) => capabilities)).toEqual([["queue"], ["topic"]]);
  });

  test("a cast that is not pre-settled waits for its acknowledgement", {
    tags: ["send:pre-settled:kinds"],
  }, async () => {
    const { driver, peer } = driverBed(UNSETTLED);
    let done = false;
    const casting = driver.cast(castRequest()).then(() => {
      done = true;
    });
    const delivery = await peer.message();
    expect(delivery.settled).toBe(false);
    expect(done).toBe(false);
    delivery.accept();
    await casting;
  });

  test("a cast without credit fails unsent after the default timeout", { tags: ["send:timeout"] }, async () => {
    const { driver, peer } = driverBed();
    peer.credit = 0;
    await expect(driver.cast(castRequest())).rejects.toMatchObject({
      name: "MessageDeliveryFailure",
      outcome: "unsent",
      phase: "credit",
      address: ANYCAST,
      message: expect.stringContaining("RPC Cast message sent to <Target topic=topic> failed: unsent: timed out"),
    });
  });

  test("a cast and a notification without an acknowledgement fail after the default timeout, outcome unknown", {
    tags: ["send:not-acknowledged", "notify:not-acknowledged"],
  }, async () => {
    const { driver } = driverBed(UNSETTLED);
    const failures = await Promise.all([driver.cast(castRequest()), driver.notify(notifyRequest())].map(failureOf));
    for (const failure of failures) {
      expect(failure).toMatchObject({
        name: "MessageDeliveryFailure",
        outcome: "unknown",
        phase: "acknowledgement",
      });
    }
  });

  test("a cast with its own timeout fails with MessagingTimeout", { tags: ["send:timeout"] }, async () => {
    const { driver, peer } = driverBed();
    peer.credit = 0;
    const failed = expect(driver.cast(castRequest({ timeoutMs: 300 }))).rejects;
    await failed.toMatchObject({ name: "MessagingTimeout", phase: "credit" });
  });

  test("a context that JSON cannot hold is refused, and leaves no operation open", async () => {
    const { driver } = driverBed();
    await expect(driver.cast(castRequest({ context: { at: Number.NaN } }))).rejects.toThrow("context.at is NaN");
    await driver.close(60_000); // would wait for an open operation
  });
});

describe("a notification", () => {
  test("a notification is sent in an envelope, and waits for its acknowledgement", async () => {
    const { driver, peer } = driverBed();
    const notifying = driver.notify(notifyRequest());
    const delivery = await peer.message(NOTIFICATIONS);
    expect(delivery.settled).toBe(false);
    expect(delivery.message.body).toEqual({
      type: "value",
      value: '{"request":{"oslo.version":"2.0","oslo.message":"{\\"event_type\\":\\"e\\"}"},"context":{}}',
    });
    delivery.accept();
    await notifying;
  });

  test("a notification can be pre-settled", { tags: ["notify:pre-settled", "send:pre-settled:kinds"] }, async () => {
    const { driver, peer } = driverBed({ preSettled: ["notify"] });
    await driver.notify(notifyRequest());
    expect((await peer.message(NOTIFICATIONS)).settled).toBe(true);
  });
});

describe("A message that is not accepted", () => {
  test("a message that the peer releases or modifies is sent again", {
    tags: ["send:released", "send:modified"],
  }, async () => {
    const { driver, peer } = driverBed();
    const notifying = driver.notify(notifyRequest({ timeoutMs: 30_000 }));
    (await peer.message(NOTIFICATIONS)).release();
    (await peer.message(NOTIFICATIONS)).modify({ deliveryFailed: false, undeliverableHere: false });
    (await peer.message(NOTIFICATIONS)).accept();
    await notifying;
  });

  test("a released message is sent again after link_retry_delay", async () => {
    const { driver, peer } = driverBed({ linkRetryDelayMs: 100 });
    const notifying = driver.notify(notifyRequest({ timeoutMs: 30_000 }));
    (await peer.message(NOTIFICATIONS)).release();
    const startMs = performance.now();
    (await peer.message(NOTIFICATIONS)).accept();
    expect(performance.now() - startMs).toBeGreaterThan(90);
    await notifying;
  });

  test("a released message is sent as often as its retries allow", { tags: ["send:retries"] }, async () => {
    const { driver, peer } = driverBed();
    const failed = expect(driver.notify(notifyRequest({ retry: 1, timeoutMs: 30_000 }))).rejects;
    (await peer.message(NOTIFICATIONS)).release();
    (await peer.message(NOTIFICATIONS)).release();
    await failed.toMatchObject({ name: "MessageDeliveryFailure", outcome: "released", phase: "acknowledgement" });
    expect(peer.deliveries.unread).toEqual([]);
  });

  test("a message with retry 0 is sent once", async () => {
    const { driver, peer } = driverBed();
    const failed = expect(driver.notify(notifyRequest({ retry: 0 }))).rejects.toMatchObject({ outcome: "released" });
    (await peer.message(NOTIFICATIONS)).release();
    await failed;
  });

  test.each<{ kind: string; send: (driver: AmqpDriver, text: string) => Promise<unknown> }>([
    { kind: "call", send: (driver, text) => driver.call(callRequest({ body: { method: text, args: {} } })) },
    { kind: "cast", send: (driver, text) => driver.cast(castRequest({ body: { method: text, args: {} } })) },
    { kind: "notification", send: (driver, text) => driver.notify(notifyRequest({ body: { text } })) },
  ])(
    "a $kind beyond the peer's max-message-size fails at once, and names both sizes",
    { tags: ["send:too-large"] },
    async ({ send }) => {
      const peer = Object.assign(new DriverPeer(), { maxMessageBytes: 2_000 });
      const { driver } = driverBed({}, { peers: [peer] });
      const error = await failureOf(send(driver, "x".repeat(2_000)));
      expect(error).toMatchObject({ name: "MessageDeliveryFailure", outcome: "rejected", phase: "acknowledgement" });
      expect(error.message).toMatch(
        /failed: rejected: amqp:link:message-size-exceeded: message of 2\d{3} bytes exceeds the peer's limit of 2000 bytes/,
      );
      expect(peer.deliveries.unread).toEqual([]);
    },
  );

  test("a rejected message fails at once with the peer's reason", { tags: ["send:rejected"] }, async () => {
    const { driver, peer } = driverBed();
    const failing = failureOf(driver.notify(notifyRequest()));
    (await peer.message(NOTIFICATIONS)).reject({ condition: "amqp:resource-limit-exceeded", description: "full" });
    const error = await failing;
    expect(error).toMatchObject({ name: "MessageDeliveryFailure", outcome: "rejected", phase: "acknowledgement" });
    expect(error.message).toContain("rejected: amqp:resource-limit-exceeded: full");
    expect(error.cause).toMatchObject({ condition: "amqp:resource-limit-exceeded" });
  });

  test.each([
    { deliveryFailed: true, undeliverableHere: false },
    { deliveryFailed: false, undeliverableHere: true },
  ])(
    "a message that is modified with $deliveryFailed, $undeliverableHere fails at once",
    { tags: ["send:modified-failed"] },
    async (modification) => {
      const { driver, peer } = driverBed();
      const failed = expect(driver.notify(notifyRequest())).rejects.toMatchObject({ outcome: "modified" });
      (await peer.message(NOTIFICATIONS)).modify(modification);
      await failed;
    },
  );

  test("a lost connection ends the pause of a released message", async () => {
    const { driver, peer } = driverBed({ linkRetryDelayMs: 60_000 });
    const notifying = driver.notify(notifyRequest({ timeoutMs: 30_000 }));
    const first = await peer.message(NOTIFICATIONS);
    first.release();
    const probe = failureOf(driver.notify(notifyRequest({ retry: 0 })));
    (await peer.message(NOTIFICATIONS)).release();
    await probe; // so the first release has arrived too
    await peer.kill();
    (await peer.message(NOTIFICATIONS)).accept();
    await notifying;
  });

  test("a call that is sent again has a new id", { tags: ["rpc:call:new-message-id"] }, async () => {
    const { driver, peer } = driverBed();
    const calling = driver.call(callRequest());
    const replies = await peer.link(REPLIES, "sender");
    const first = await peer.message();
    first.release();
    const second = await peer.message();
    const stale = { correlationId: first.message.messageId, body: encodeReply("first") };
    expect(await peer.send(replies, stale)).toMatchObject({ type: "modified" });
    await peer.send(replies, { correlationId: second.message.messageId, body: encodeReply("second") });
    expect(await calling).toBe("second");
  });

  test("a released message whose timeout ends during the pause is not sent again", async () => {
    const { driver, peer } = driverBed({ linkRetryDelayMs: 30_000 });
    const failed = expect(driver.notify(notifyRequest({ timeoutMs: 300 }))).rejects;
    (await peer.message(NOTIFICATIONS)).release();
    await failed.toMatchObject({
      name: "MessagingTimeout",
      phase: "credit",
      cause: expect.objectContaining({ outcome: "released" }),
    });
    expect(peer.deliveries.unread).toEqual([]);
  });
});

describe("A sending link", () => {
  test("a sending link is shared by all messages to its address", async () => {
    const { driver, peer } = driverBed();
    await Promise.all([1, 2, 3].map(() => driver.cast(castRequest())));
    await driver.cast(castRequest());
    expect(peer.links.unread).toHaveLength(1);
  });

  test("a link without credit delays no other link", async () => {
    const { driver, peer } = driverBed();
    peer.credit = 0;
    const waiting = [1, 2, 3].map(() => failureOf(driver.cast(castRequest({ timeoutMs: 30_000 }))));
    await peer.link(ANYCAST, "receiver");
    peer.credit = 10;
    await driver.cast(castRequest({ target: new Target({ topic: "alive" }) }));
    await driver.close(0);
    for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ phase: "credit" });
  });

  test("a refused sending link is attached again after a pause, and the status reports the refusal", {
    tags: ["link:sender:refused"],
  }, async () => {
    const { driver, peer, status, logger } = driverBed();
    peer.refuse = (_, time) => (time <= 2 ? "not yet" : undefined);
    const watcher = status.watch();
    const casting = driver.cast(castRequest({ timeoutMs: 30_000 }));
    for await (const present of watcher) {
      if (present.type !== "refused") continue;
      expect(present).toMatchObject({ address: ANYCAST, error: { condition: "amqp:not-found" } });
      break;
    }
    await casting;
    expect(status.present).toMatchObject({ type: "connected", product: "test-router" });
    expect(logger.of("warn")).toEqual([`no link to ${ANYCAST}: amqp:not-found: not yet`]);
  });

  test("a refused link is not attached again before its pause ends, for any message", async () => {
    const { driver, peer } = driverBed({ linkRetryDelayMs: 100 });
    peer.refuse = (_, time) => (time === 1 ? "not yet" : undefined);
    const startMs = performance.now();
    await failureOf(driver.cast(castRequest({ retry: 0 })));
    await driver.cast(castRequest({ retry: 0, timeoutMs: 30_000 }));
    expect(performance.now() - startMs).toBeGreaterThan(90);
  });

  test("a refused link fails a message without retries", {
    tags: ["link:sender:refused-too-often"],
  }, async () => {
    const { driver, peer } = driverBed();
    peer.refuse = () => "no such node";
    const error = await failureOf(driver.cast(castRequest({ retry: 0 })));
    expect(error).toMatchObject({ name: "MessageDeliveryFailure", outcome: "unsent", phase: "credit" });
    expect(error.message).toContain("amqp:not-found: no such node");
  });

  test("a link that is refused again and again is logged once, however long the messages are apart", async () => {
    const { driver, peer, status, logger } = driverBed();
    peer.refuse = () => "no such node";
    for (let i = 0; i < 3; i++) {
      await failureOf(driver.cast(castRequest({ retry: 0 })));
      for await (const { type } of status.watch()) if (type === "connected") break;
    }
    expect(logger.of("warn")).toEqual([`no link to ${ANYCAST}: amqp:not-found: no such node`]);
  });

  test("the status of a refused link that is no longer needed returns to connected", async () => {
    const { driver, peer, status } = driverBed();
    peer.refuse = () => "no such node";
    await failureOf(driver.cast(castRequest({ retry: 0 })));
    expect(status.present.type).toBe("refused");
    for await (const { type } of status.watch()) if (type === "connected") break;
  });

  test("a detached link fails sent messages, and keeps unsent ones", async () => {
    const { driver, peer } = driverBed(UNSETTLED);
    peer.credit = 1;
    const sent = failureOf(driver.cast(castRequest({ timeoutMs: 30_000 })));
    const link = await peer.link(ANYCAST, "receiver");
    await peer.message();
    const unsent = driver.cast(castRequest({ timeoutMs: 30_000 }));
    await link.receiver?.close({ condition: "amqp:resource-deleted" });
    expect(await sent).toMatchObject({ outcome: "unknown" });
    (await peer.message()).accept();
    await unsent;
  });

  test("a sending link that is idle for two periods is detached, and attached again for the next message", {
    tags: ["link:sender:idle"],
  }, async () => {
    const { driver, peer } = driverBed({ defaultSenderLinkTimeoutMs: 30 });
    await driver.cast(castRequest());
    const { name } = await peer.link(ANYCAST, "receiver");
    expect(await peer.detached.take("a detach", (detached) => detached)).toBe(name);
    await driver.cast(castRequest());
    await peer.link(ANYCAST, "receiver");
  });

  test("a link with an unsettled message is not idle", async () => {
    const { driver, peer } = driverBed({ defaultSenderLinkTimeoutMs: 20, preSettled: [] });
    const casting = driver.cast(castRequest({ timeoutMs: 30_000 }));
    const delivery = await peer.message();
    await new Promise((resolve) => setTimeout(resolve, 100)); // five periods
    delivery.accept();
    await casting;
    expect(peer.detached.unread).toEqual([]);
  });
});

describe("The send queue", () => {
  const FULL = { name: "SendQueueFull", outcome: "unsent" };

  test("a message above the queue bound is refused at once, and the error names the bound", {
    tags: ["send:queue:bound"],
  }, async () => {
    const { driver, peer } = driverBed({}, { maxQueued: { messages: 2 } });
    peer.credit = 0;
    await driver.connect({});
    const waiting = [1, 2].map(() => driver.cast(castRequest({ timeoutMs: 30_000 })));
    const error = await failureOf(driver.cast(castRequest({ timeoutMs: 30_000 })));
    expect(error).toBeInstanceOf(MessageDeliveryFailure);
    expect(error).toMatchObject({ ...FULL, phase: "credit", messages: 2, host: "peer0:5672" });
    expect(error.message).toContain("unsent: 2 messages wait to be sent, maxQueued.messages is 2");
    const { receiver } = await peer.link(ANYCAST, "receiver");
    receiver?.grant(10);
    await Promise.all(waiting);
    await driver.cast(castRequest());
  });

  test("the queue is bounded in bytes too, and takes the message that reaches the bound", {
    tags: ["send:queue:bound"],
  }, async () => {
    const peer = new DriverPeer();
    peer.down = new Error("connection refused");
    const { driver } = driverBed({}, { peers: [peer], maxQueued: { bytes: 100 } });
    const large = castRequest({ body: { method: "m", args: { text: "x".repeat(1_000) } }, timeoutMs: 30_000 });
    const waiting = driver.cast(large);
    const error = await failureOf(driver.notify(notifyRequest()));
    expect(error).toMatchObject({ ...FULL, phase: "connecting" });
    expect(error.message).toMatch(/unsent: 1\d\d\d bytes wait to be sent, maxQueued\.bytes is 100 /);
    peer.down = undefined;
    await waiting;
  });

  test("calls that wait for connection, reply link or credit count for the bound until they end", async () => {
    const peer = new DriverPeer();
    peer.down = new Error("connection refused");
    const { driver } = driverBed({}, { peers: [peer], maxQueued: { messages: 1 } });
    const giveUp = new AbortController();
    const first = failureOf(driver.call(callRequest({ signal: giveUp.signal })));
    expect(await failureOf(driver.call(callRequest()))).toMatchObject(FULL);
    giveUp.abort(new Error("enough"));
    await first;
    peer.down = undefined;
    peer.credit = 0;
    const second = driver.call(callRequest());
    const replies = await peer.link(REPLIES, "sender");
    const { receiver } = await peer.link(ANYCAST, "receiver");
    expect(await failureOf(driver.call(callRequest()))).toMatchObject({ ...FULL, phase: "credit" });
    receiver?.grant(1);
    await peer.answer("second", replies);
    expect(await second).toBe("second");
  });

  test("unacknowledged messages do not count for the bound; released ones do", async () => {
    const { driver, peer } = driverBed({ linkRetryDelayMs: 60_000 }, { maxQueued: { messages: 1 } });
    const first = failureOf(driver.notify(notifyRequest({ timeoutMs: 30_000 })));
    const one = await peer.message(NOTIFICATIONS);
    const second = failureOf(driver.notify(notifyRequest({ timeoutMs: 30_000 })));
    const other = await peer.message(NOTIFICATIONS);
    one.release(); // neither is refused: both were accepted before
    other.release();
    const probe = driver.notify(notifyRequest());
    (await peer.message(NOTIFICATIONS)).accept();
    await probe;
    const target = new Target({ topic: "elsewhere" });
    expect(await failureOf(driver.cast(castRequest({ target })))).toMatchObject({ ...FULL, messages: 2 });
    await driver.close(0);
    expect(await Promise.all([first, second])).toMatchObject([{ outcome: "unsent" }, { outcome: "unsent" }]);
  });

  test("queued messages are not refused when their connection is lost", async () => {
    const first = new DriverPeer();
    const second = new DriverPeer();
    first.credit = 0;
    const { driver } = driverBed({}, { peers: [first, second], maxQueued: { messages: 3 } });
    const waiting = [1, 2, 3].map(() => driver.cast(castRequest({ timeoutMs: 30_000 })));
    await first.link(ANYCAST, "receiver");
    await first.kill();
    await Promise.all(waiting);
  });

  test("writable resolves when the queue has room", { tags: ["send:queue:writable"] }, async () => {
    const { driver, peer } = driverBed({}, { maxQueued: { messages: 1 } });
    await driver.writable(undefined);
    peer.credit = 0;
    const waiting = driver.cast(castRequest({ timeoutMs: 30_000 }));
    const { receiver } = await peer.link(ANYCAST, "receiver");
    let isWritable = false;
    const writable = driver.writable(undefined).then(() => {
      isWritable = true;
    });
    const giveUp = new AbortController();
    const givenUp = failureOf(driver.writable(giveUp.signal));
    giveUp.abort(new Error("enough"));
    expect((await givenUp).message).toBe("enough");
    expect(isWritable).toBe(false);
    receiver?.grant(2);
    await writable;
    await waiting;
    await driver.cast(castRequest());
  });

  test.each([{ messages: 2 }, { bytes: 1_000 }])(
    "no message of many that wait for writable is refused: %j",
    async (maxQueued) => {
      const { driver, peer } = driverBed({}, { maxQueued });
      peer.credit = 0;
      const request = castRequest({ timeoutMs: 30_000, context: { padding: "x".repeat(600) } });
      const first = driver.cast(request);
      const { receiver } = await peer.link(ANYCAST, "receiver");
      const sending = Array.from({ length: 6 }, async () => {
        await driver.writable(undefined);
        await driver.cast(request);
      });
      const sent = Promise.all([first, ...sending]);
      receiver?.grant(7);
      await sent;
    },
  );

  test("writable rejects when the transport is closed", async () => {
    const peer = new DriverPeer();
    peer.down = new Error("connection refused");
    const { driver } = driverBed({}, { peers: [peer], maxQueued: { messages: 1 } });
    const waiting = failureOf(driver.cast(castRequest({ timeoutMs: 30_000 })));
    const writable = failureOf(driver.writable(undefined));
    await driver.close(0);
    expect((await writable).message).toBe("the transport is closed");
    await waiting;
    expect((await failureOf(driver.writable(undefined))).message).toBe("the transport is closed");
  });

  test("the queue takes 10,000 messages by default", async () => {
    const peer = new DriverPeer();
    peer.down = new Error("connection refused");
    const { driver } = driverBed({}, { peers: [peer] });
    const all = Array.from({ length: 10_001 }, () => failureOf(driver.cast(castRequest({ timeoutMs: 30_000 }))));
    expect(await Promise.race(all)).toMatchObject({ ...FULL, messages: 10_000 });
    await driver.close(0);
    expect((await Promise.all(all)).filter(({ name }) => name === "SendQueueFull")).toHaveLength(1);
  });
});

describe("Closing the driver", () => {
  test("closing fails each message with the phase that it has reached", async () => {
    const { driver, peer } = driverBed(UNSETTLED);
    const reply = failureOf(driver.call(callRequest()));
    (await peer.message()).accept();
    const acknowledgement = failureOf(driver.cast(castRequest()));
    await peer.message();
    peer.credit = 0;
    const credit = failureOf(driver.cast(castRequest({ target: new Target({ topic: "dead" }), timeoutMs: 30_000 })));
    await peer.link("openstack.org/om/rpc/anycast/openstack/dead", "receiver");
    await driver.close(0);
    expect(await reply).toMatchObject({ name: "MessageDeliveryFailure", outcome: "unknown", phase: "reply" });
    expect(await acknowledgement).toMatchObject({ outcome: "unknown", phase: "acknowledgement" });
    expect(await credit).toMatchObject({ outcome: "unsent", phase: "credit" });
    expect((await credit).message).toContain("the transport was closed");
  });

  test("closing with a grace lets a call finish, and rejects new ones", async () => {
    const { driver, peer } = driverBed();
    const calling = driver.call(callRequest());
    const replies = await peer.link(REPLIES, "sender");
    const closing = driver.close(30_000);
    await expect(driver.call(callRequest())).rejects.toThrow("the transport is closed");
    await peer.answer("in time", replies);
    expect(await calling).toBe("in time");
    await closing;
  });

  test("closing fails calls that are open when the grace ends", async () => {
    const { driver, peer } = driverBed();
    const failing = failureOf(driver.call(callRequest()));
    (await peer.message()).accept();
    await driver.close(30);
    expect(await failing).toMatchObject({ outcome: "unknown" });
  });

  test("closing ends a wait for a connection", async () => {
    const peer = new DriverPeer();
    peer.down = new Error("connection refused");
    const { driver, status } = driverBed({}, { peers: [peer] });
    const waiting = [driver.connect({ keepTrying: true }), driver.cast(castRequest())].map(failureOf);
    for await (const { type } of status.watch()) if (type === "disconnected") break;
    await driver.close(0);
    const [connecting, casting] = await Promise.all(waiting);
    expect(connecting).toBeInstanceOf(MessagingException);
    expect(connecting?.message).toBe("the transport is closed");
    expect(casting).toMatchObject({ outcome: "unsent", phase: "connecting", cause: peer.down });
  });

  test("closing leaves no timer", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const { driver, peer } = driverBed();
    peer.refuse = (address) => (address === ANYCAST ? "no such node" : undefined);
    await failureOf(driver.cast(castRequest({ retry: 0 })));
    const calling = failureOf(driver.call(callRequest({ callMonitorTimeoutMs: 2_000 })));
    await peer.link(REPLIES, "sender");
    await driver.close(0);
    await calling;
    await peer.kill();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a closed driver refuses every operation", async () => {
    const { driver } = driverBed();
    await driver.close(0);
    for (const attempt of [
      driver.call(callRequest()),
      driver.cast(castRequest()),
      driver.notify(notifyRequest()),
      driver.connect({}),
      driver.listen(TARGET.with({ server: "s" }), () => {}),
    ]) {
      expect((await failureOf(attempt)).message).toBe("the transport is closed");
    }
    await driver.close(0);
  });
});

test("a peer that needs another driver is the cause of a timeout in the phase connecting", async () => {
  const peer = new DriverPeer();
  Object.assign(peer, { product: "RabbitMQ", version: "4.1.0" });
  const { driver } = driverBed({}, { peers: [peer] });
  const error = await failureOf(driver.cast(castRequest({ timeoutMs: 300 })));
  expect(error).toMatchObject({ name: "MessagingTimeout", phase: "connecting" });
  expect(error).toHaveProperty("cause.message", expect.stringContaining("drivers: RabbitMQ needs the driver"));
  const connection = await peer.connections.take("a connection", (made) => made);
  await connection.closed;
});
