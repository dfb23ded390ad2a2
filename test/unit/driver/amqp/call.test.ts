import { getEventListeners } from "node:events";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { encodeFailure, encodeReply, HEARTBEAT } from "@/src/driver/amqp/wire.js";
import { MessageDeliveryFailure, MessagingTimeout } from "@/src/driver/exceptions.js";
import type { ResolvedOptions } from "@/src/driver/options/options.js";
import {
  ANYCAST,
  callRequest,
  castRequest,
  type DriverBed,
  DriverPeer,
  driverBed,
  failureOf,
  REPLIES,
  TARGET,
} from "@/test/fixtures/peers/driver-peer.js";
import { nextStatus } from "@/test/fixtures/stages/status.js";

const FAILURE = { excType: "ValueError", module: "builtins", message: "no", traceback: [], args: ["no"], kwargs: {} };

describe("A call", () => {
  test("a call sends a request with a new id, the reply address of the peer and its timeout as ttl", {
    tags: ["rpc:call:ttl"],
  }, async () => {
    const { driver, peer } = driverBed();
    const calling = driver.call(callRequest({ timeoutMs: 12_345.6 }));
    const replies = await peer.link(REPLIES, "sender");
    expect(replies.name).toMatch(/^openstack\.org\/om\/receiver\/\[rpc-response\]\/[0-9a-f]{32}$/);
    const { name } = await peer.link(ANYCAST, "receiver");
    expect(name).toMatch(
      /^openstack\.org\/om\/sender\/\[openstack\.org\/om\/rpc\/anycast\/openstack\/topic\]\/[0-9a-f]{32}$/,
    );
    const request = await peer.message();
    expect(request.settled).toBe(false);
    expect(request.message).toMatchObject({
      to: ANYCAST,
      replyTo: REPLIES,
      ttl: 12_346,
      messageId: expect.stringMatching(/^[0-9a-f]{32}$/),
      absoluteExpiryTime: undefined,
      body: { type: "value", value: '{"request":{"method":"m","args":{}},"context":{"user":"u"}}' },
    });
    request.accept();
    await peer.send(replies, { correlationId: request.message.messageId, body: encodeReply({ a: 1 }) });
    expect(await calling).toEqual({ a: 1 });
  });

  test("each of two calls gets its own reply when the replies come in reverse order", async () => {
    const { driver, peer } = driverBed();
    const calls = [1, 2].map((arg) => driver.call(callRequest({ body: { method: "echo", args: { arg } } })));
    const replies = await peer.link(REPLIES, "sender");
    const requests = [await peer.message(), await peer.message()];
    for (const { message } of requests.reverse()) {
      const arg = String(message.body?.type === "value" && message.body.value).includes('"arg":1') ? 1 : 2;
      await peer.send(replies, { correlationId: message.messageId, body: encodeReply(arg) });
    }
    expect(await Promise.all(calls)).toEqual([1, 2]);
  });

  test("a call resolves when its reply comes before the acknowledgement", async () => {
    const { driver, peer } = driverBed();
    const calling = driver.call(callRequest());
    const replies = await peer.link(REPLIES, "sender");
    const request = await peer.message();
    await peer.send(replies, { correlationId: request.message.messageId, body: encodeReply("early") });
    expect(await calling).toBe("early");
  });

  test("a call rejects with the RemoteError of the server", async () => {
    const { driver, peer } = driverBed();
    const calling = driver.call(callRequest());
    const failed = expect(calling).rejects.toMatchObject({ name: "RemoteError", excType: "ValueError", value: "no" });
    const replies = await peer.link(REPLIES, "sender");
    const request = await peer.message();
    request.accept();
    await peer.send(replies, { correlationId: request.message.messageId, body: encodeFailure(FAILURE) });
    await failed;
  });

  test("a call rejects with the error that remoteExceptions returns for the failure", async () => {
    const remoteExceptions = new Map([["builtins.ValueError", () => new RangeError("mapped")]]);
    const { driver, peer } = driverBed({}, { remoteExceptions });
    const failed = expect(driver.call(callRequest())).rejects.toEqual(new RangeError("mapped"));
    const replies = await peer.link(REPLIES, "sender");
    const request = await peer.message();
    request.accept();
    await peer.send(replies, { correlationId: request.message.messageId, body: encodeFailure(FAILURE) });
    await failed;
  });

  test("a call rejects when its reply cannot be read, and the reply is rejected", {
    tags: ["rpc:call:unreadable-reply"],
  }, async () => {
    const { driver, peer, logger } = driverBed();
    const failed = expect(driver.call(callRequest())).rejects.toThrow("The body of a reply is not JSON");
    const replies = await peer.link(REPLIES, "sender");
    const request = await peer.message();
    request.accept();
    const body = { type: "value", value: "{nonsense" } as const;
    const outcome = await peer.send(replies, { correlationId: request.message.messageId, body });
    await failed;
    expect(outcome).toMatchObject({ type: "rejected", error: { condition: "amqp:decode-error" } });
    expect(logger.of("warn")).toEqual([expect.stringMatching(/^rejected a reply of \d+ bytes: The body of a reply/)]);
  });

  test("a reply above the client's own limit is rejected, and its call fails at once with both sizes", {
    tags: ["rpc:call:reply-too-large"],
  }, async () => {
    const { driver, peer, logger } = driverBed({}, { maxMessageBytes: 100_000 });
    const calling = failureOf(driver.call(callRequest()));
    const replies = await peer.link(REPLIES, "sender");
    if (replies.sender === undefined) throw new Error("no link for replies");
    vi.spyOn(replies.sender, "maxMessageBytes", "get").mockReturnValue(undefined); // a peer that ignores the limit
    expect(await peer.answer("x".repeat(200_000), replies)).toMatchObject({
      type: "rejected",
      error: { condition: "amqp:link:message-size-exceeded" },
    });
    expect(await calling).toMatchObject({
      name: "MessagingException",
      message: expect.stringMatching(
        /^rejected the reply: message of 200\d{3} bytes exceeds the limit of 100000 bytes$/,
      ),
    });
    expect(logger.of("warn")).toHaveLength(1);
  });

  test("a late reply is returned as modified, with a warning", async () => {
    const { driver, peer, logger } = driverBed();
    const failed = expect(driver.call(callRequest({ timeoutMs: 300 }))).rejects.toBeInstanceOf(MessagingTimeout);
    const replies = await peer.link(REPLIES, "sender");
    const request = await peer.message();
    request.accept();
    await failed;
    const late = { correlationId: request.message.messageId, body: encodeReply("late") };
    expect(await peer.send(replies, late)).toEqual({ type: "modified", deliveryFailed: true, undeliverableHere: true });
    expect(logger.of("warn")).toEqual([expect.stringContaining("matches no call")]);
  });

  test("a call and a cast with arguments that JSON cannot hold reject with their path", {
    tags: ["rpc:json:not-a-number"],
  }, async () => {
    const { driver } = driverBed();
    const body = { method: "m", args: { arg: Number.NaN } };
    await expect(driver.call(callRequest({ body }))).rejects.toThrow("request.args.arg is NaN");
    await expect(driver.cast(castRequest({ body }))).rejects.toThrow("request.args.arg is NaN");
  });

  test("a reply with an unknown id or none is returned as modified with one warning, and the call gets its own", {
    tags: ["rpc:call:unknown-reply"],
  }, async () => {
    const { driver, peer, logger } = driverBed();
    const calling = driver.call(callRequest());
    const replies = await peer.link(REPLIES, "sender");
    for (const correlationId of ["unknown", 7n, undefined]) {
      const outcome = await peer.send(replies, { correlationId, body: encodeReply("stray") });
      expect(outcome).toEqual({ type: "modified", deliveryFailed: true, undeliverableHere: true });
    }
    expect(logger.of("warn")).toHaveLength(1);
    await peer.answer("its own", replies);
    expect(await calling).toBe("its own");
  });

  describe("A call rejects with the reason of its signal", () => {
    interface Stage {
      phase: string;
      options?: Partial<ResolvedOptions>;
      prepare?: (peer: DriverPeer) => void;
      reached: (bed: DriverBed) => Promise<unknown>;
    }

    test.each<Stage>([
      {
        phase: "before a connection",
        prepare: (peer) => {
          peer.down = new Error("connection refused");
        },
        reached: async ({ status }) => {
          for await (const { type } of status.watch()) if (type === "disconnected") break;
        },
      },
      {
        phase: "while the link to its target is refused",
        options: { linkRetryDelayMs: 60_000 },
        prepare: (peer) => {
          peer.refuse = (address) => (address === ANYCAST ? "no such node" : undefined);
        },
        reached: async ({ status }) => {
          for await (const { type } of status.watch()) if (type === "refused") break;
        },
      },
      {
        phase: "without credit",
        prepare: (peer) => {
          peer.credit = 0;
        },
        reached: ({ peer }) => peer.link(ANYCAST, "receiver"),
      },
      { phase: "before its acknowledgement", reached: ({ peer }) => peer.message() },
      {
        phase: "in the pause after a release",
        options: { linkRetryDelayMs: 60_000 },
        reached: async ({ driver, peer }) => {
          (await peer.message()).release();
          const probe = failureOf(driver.call(callRequest({ retry: 0 })));
          (await peer.message()).release();
          await probe;
        },
      },
      {
        phase: "before its reply",
        reached: async ({ driver, peer }) => {
          (await peer.message()).accept();
          const probe = failureOf(driver.call(callRequest({ retry: 0 })));
          (await peer.message()).release();
          await probe;
        },
      },
    ])(
      "a call that is aborted $phase rejects with the reason",
      { tags: ["send:signal"] },
      async ({ options, prepare, reached }) => {
        const bed = driverBed(options);
        prepare?.(bed.peer);
        const late = new AbortController();
        const failing = failureOf(bed.driver.call(callRequest({ signal: late.signal })));
        await reached(bed);
        late.abort(new Error("enough"));
        expect((await failing).message).toBe("enough");
      },
    );

    test("a call whose signal is aborted already sends nothing", async () => {
      const { driver, peer } = driverBed();
      const signal = AbortSignal.abort(new Error("before"));
      expect((await failureOf(driver.call(callRequest({ signal })))).message).toBe("before");
      await driver.cast(castRequest());
      await peer.message();
      expect(peer.deliveries.unread).toEqual([]);
    });
  });
});

describe("A call that times out", () => {
  const address = ANYCAST;

  test("a call without a connection times out with its phase and the cause", {
    tags: ["send:timeout:told"],
  }, async () => {
    const peer = new DriverPeer();
    peer.down = new Error("connection refused");
    const { driver } = driverBed({}, { peers: [peer] });
    const error = await failureOf(driver.call(callRequest({ timeoutMs: 300 })));
    expect(error).toBeInstanceOf(MessagingTimeout);
    expect(error).toMatchObject({ phase: "connecting", host: "peer0:5672", address: undefined, cause: peer.down });
    expect(error.message).toContain("RPC Call message sent to <Target topic=topic> failed: timed out");
    expect(error).toHaveProperty("elapsedMs", expect.closeTo(300, -2));
  });

  test("a call without credit times out in the phase credit", async () => {
    const { driver, peer } = driverBed();
    peer.credit = 0;
    const failed = expect(driver.call(callRequest({ timeoutMs: 300 }))).rejects;
    await failed.toMatchObject({ name: "MessagingTimeout", phase: "credit", address, host: "peer0:5672" });
  });

  test("a call without an acknowledgement times out in the phase acknowledgement", async () => {
    const { driver } = driverBed();
    const failed = expect(driver.call(callRequest({ timeoutMs: 300 }))).rejects;
    await failed.toMatchObject({ name: "MessagingTimeout", phase: "acknowledgement", address });
  });

  test("a call without a reply times out in the phase reply", {
    tags: ["rpc:call:missing-reply"],
  }, async () => {
    const { driver, peer } = driverBed();
    const failed = expect(driver.call(callRequest({ timeoutMs: 300 }))).rejects;
    (await peer.message()).accept();
    await failed.toMatchObject({ name: "MessagingTimeout", phase: "reply", address });
  });

  test("a call whose link is refused times out with the refusal as its cause", async () => {
    const { driver, peer } = driverBed();
    peer.refuse = (to) => (to === ANYCAST ? "no such node" : undefined);
    const error = await failureOf(driver.call(callRequest({ timeoutMs: 300 })));
    expect(error).toMatchObject({ name: "MessagingTimeout", phase: "credit", address });
    expect(error.cause).toMatchObject({ condition: "amqp:not-found", description: "no such node" });
  });
});

describe("A monitored call", () => {
  test("a monitored call waits while heartbeats arrive, and fails when they stop", {
    tags: ["rpc:monitor:silent"],
  }, async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const { driver, peer } = driverBed();
    const calling = driver.call(callRequest({ callMonitorTimeoutMs: 2_000 }));
    const failed = expect(calling).rejects.toMatchObject({
      name: "MessagingTimeout",
      phase: "heartbeat",
      elapsedMs: 5_600,
    });
    const replies = await peer.link(REPLIES, "sender");
    const request = await peer.message();
    expect(request.message.body).toMatchObject({ value: expect.stringContaining('"call_monitor_timeout":2') });
    request.accept();
    for (const body of [HEARTBEAT, undefined]) {
      await vi.advanceTimersByTimeAsync(1_800);
      const outcome = await peer.send(replies, { correlationId: request.message.messageId, body });
      expect(outcome).toEqual({ type: "accepted" });
    }
    await vi.advanceTimersByTimeAsync(2_000);
    await failed;
  });

  test("a monitored call times out in the phase reply although heartbeats arrive", {
    tags: ["rpc:monitor:slow"],
  }, async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const { driver, peer } = driverBed();
    const calling = driver.call(callRequest({ callMonitorTimeoutMs: 2_000, timeoutMs: 5_000 }));
    const failed = expect(calling).rejects.toMatchObject({
      name: "MessagingTimeout",
      phase: "reply",
      elapsedMs: 5_000,
    });
    const replies = await peer.link(REPLIES, "sender");
    const request = await peer.message();
    request.accept();
    for (let heartbeats = 0; heartbeats < 2; heartbeats++) {
      await vi.advanceTimersByTimeAsync(1_800);
      await peer.send(replies, { correlationId: request.message.messageId, body: HEARTBEAT });
    }
    await vi.advanceTimersByTimeAsync(1_400);
    await failed;
  });

  test("a monitored call gets its reply after heartbeats", async () => {
    const { driver, peer } = driverBed();
    const calling = driver.call(callRequest({ callMonitorTimeoutMs: 2_000 }));
    const replies = await peer.link(REPLIES, "sender");
    const { message } = await peer.message();
    await peer.send(replies, { correlationId: message.messageId, body: HEARTBEAT });
    await peer.send(replies, { correlationId: message.messageId, body: encodeReply(1) });
    expect(await calling).toBe(1);
  });

  test("a monitored call whose request has no credit fails in the phase credit after the monitor timeout", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const { driver, peer } = driverBed();
    peer.credit = 0;
    const calling = driver.call(callRequest({ callMonitorTimeoutMs: 1 }));
    const failed = expect(calling).rejects.toMatchObject({ name: "MessagingTimeout", phase: "credit" });
    await peer.link(ANYCAST, "receiver");
    await vi.advanceTimersByTimeAsync(2_000);
    await failed;
  });

  test("a monitored call rejects with the reason of its signal, and removes its listeners", async () => {
    const { driver, peer } = driverBed();
    const { signal, abort } = watchedSignal();
    const calling = driver.call(callRequest({ callMonitorTimeoutMs: 2_000, signal }));
    const failed = expect(calling).rejects.toThrow("enough");
    (await peer.message()).accept();
    abort(new Error("enough"));
    await failed;
    expect(signal.removeEventListener).toHaveBeenCalledTimes(vi.mocked(signal.addEventListener).mock.calls.length);
    await expect(driver.call(callRequest({ callMonitorTimeoutMs: 2_000, signal }))).rejects.toThrow("enough");
  });
});

describe("A signal for many calls", () => {
  test.each([
    ["calls", {}],
    ["monitored calls", { callMonitorTimeoutMs: 2_000 }],
  ])("a signal that 1,000 %s wait for has one listener, and none once it has ended them", async (_calls, init) => {
    const { driver, peer } = driverBed();
    const { signal, abort } = watchedSignal();
    const calls = Array.from({ length: 1_000 }, () => driver.call(callRequest({ ...init, timeoutMs: 60_000, signal })));
    const ended = Promise.allSettled(calls);
    await peer.message();
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    abort(new Error("enough"));
    expect(await ended).toEqual(calls.map(() => ({ status: "rejected", reason: new Error("enough") })));
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

/** A signal with spies on its listeners. */
function watchedSignal() {
  const controller = new AbortController();
  const { signal } = controller;
  vi.spyOn(signal, "addEventListener");
  vi.spyOn(signal, "removeEventListener");
  return { signal, abort: (reason: Error) => controller.abort(reason) };
}

describe("A lost connection", () => {
  test("a lost connection fails a call whose request may have arrived", {
    tags: ["send:connection-lost"],
  }, async () => {
    const { driver, peer } = driverBed();
    const failed = expect(driver.call(callRequest())).rejects.toMatchObject({
      name: "MessageDeliveryFailure",
      outcome: "unknown",
      phase: "acknowledgement",
    });
    await peer.message();
    await peer.kill();
    await failed;
  });

  test("an acknowledged call waits for its timeout after a lost connection, as in oslo", async () => {
    const { driver, peer } = driverBed();
    const failed = expect(driver.call(callRequest({ timeoutMs: 600 }))).rejects;
    (await peer.message()).accept();
    await peer.link(ANYCAST, "receiver");
    const probe = driver.call(callRequest()); // its request shows that the acceptance has arrived
    await peer.message();
    await peer.kill();
    await expect(probe).rejects.toBeInstanceOf(MessageDeliveryFailure);
    await failed.toMatchObject({
      name: "MessagingTimeout",
      phase: "reply",
      cause: expect.objectContaining({ condition: "amqp:connection:forced" }),
    });
  });

  test("with failFast a lost connection fails an acknowledged call at once", { tags: ["send:fail-fast"] }, async () => {
    const { driver, peer } = driverBed({}, { failFast: true });
    const failing = failureOf(driver.call(callRequest({ callMonitorTimeoutMs: 60_000 })));
    (await peer.message()).accept();
    const probe = failureOf(driver.call(callRequest())); // its request shows that the acceptance has arrived
    await peer.message();
    await peer.kill();
    expect(await failing).toMatchObject({
      name: "MessageDeliveryFailure",
      outcome: "unknown",
      phase: "reply",
      address: ANYCAST,
      host: "peer0:5672",
      message: expect.stringContaining("the connection was lost before the reply arrived: amqp:connection:forced"),
      cause: expect.objectContaining({ condition: "amqp:connection:forced" }),
    });
    expect(await probe).toMatchObject({ outcome: "unknown", phase: "acknowledgement" });
  });

  test("with failFast an unsent call survives a lost connection", { tags: ["send:fail-fast"] }, async () => {
    const first = new DriverPeer();
    const second = new DriverPeer();
    first.credit = 0;
    const { driver } = driverBed({}, { peers: [first, second], failFast: true });
    const calling = driver.call(callRequest());
    await first.link(ANYCAST, "receiver");
    await first.kill();
    await second.answer("second", await second.link(REPLIES, "sender"));
    expect(await calling).toBe("second");
  });

  test("with failFast a lost connection fails a pre-settled call at once", {
    tags: ["send:fail-fast", "send:pre-settled:kinds"],
  }, async () => {
    const { driver, peer } = driverBed({ preSettled: ["rpc-call"] }, { failFast: true });
    const failing = failureOf(driver.call(callRequest()));
    expect((await peer.message()).settled).toBe(true);
    await peer.kill();
    expect(await failing).toMatchObject({ name: "MessageDeliveryFailure", outcome: "unknown", phase: "reply" });
  });

  test("an unsent request is sent over the next connection, with a new id and reply address", {
    tags: ["send:connection-lost"],
  }, async () => {
    const first = new DriverPeer();
    const second = new DriverPeer();
    first.credit = 0;
    const { driver } = driverBed({}, { peers: [first, second] });
    const calling = driver.call(callRequest());
    await first.link(ANYCAST, "receiver");
    await first.kill();
    const replies = await second.link(REPLIES, "sender");
    await second.answer("second", replies);
    expect(await calling).toBe("second");
  });

  test("an unsent request is sent to the address that the next peer uses", async () => {
    const first = new DriverPeer();
    const second = new DriverPeer();
    first.credit = 0;
    second.product = undefined;
    const { driver } = driverBed({}, { peers: [first, second] });
    const calling = driver.call(callRequest());
    await first.link(ANYCAST, "receiver");
    await first.kill();
    const replies = await second.link(REPLIES, "sender");
    const request = await second.message("unicast.openstack.topic");
    await second.send(replies, { correlationId: request.message.messageId, body: encodeReply("legacy") });
    expect(await calling).toBe("legacy");
  });

  test("a lost connection fails an unsent call without retries", async () => {
    const { driver, peer } = driverBed();
    peer.credit = 0;
    const failed = expect(driver.call(callRequest({ retry: 0 }))).rejects.toMatchObject({
      name: "MessageDeliveryFailure",
      outcome: "unsent",
      phase: "connecting",
    });
    await peer.link(ANYCAST, "receiver");
    await peer.kill();
    await failed;
  });
});

describe("The reply link", () => {
  test("the reply link is attached once, at the first call of a connection", async () => {
    const { driver, peer } = driverBed();
    await driver.connect({});
    expect(peer.links.unread).toEqual([]);
    const calls = [driver.call(callRequest()), driver.call(callRequest())];
    const replies = await peer.link(REPLIES, "sender");
    await peer.answer(1, replies);
    await peer.answer(2, replies);
    await Promise.all(calls);
    expect(peer.links.unread.map((link) => link.address)).toEqual([ANYCAST]);
  });

  test("a detached reply link ends the connection, and the next one attaches another", {
    tags: ["link:reply:loss"],
  }, async () => {
    const { driver, peer, status } = driverBed();
    const failed = expect(driver.call(callRequest({ timeoutMs: 600 }))).rejects.toMatchObject({ phase: "reply" });
    const replies = await peer.link(REPLIES, "sender");
    (await peer.message()).accept();
    await peer.connections.take("a connection", () => true);
    const disconnected = nextStatus({ status: () => status.watch() }, "disconnected");
    await replies.sender?.close({ condition: "amqp:resource-deleted" });
    expect((await disconnected).error?.message).toBe("no link for replies: amqp:resource-deleted");
    await peer.connections.take("another connection", () => true);
    await failed;
    const calling = driver.call(callRequest());
    await peer.answer("again", await peer.link(REPLIES, "sender"));
    expect(await calling).toBe("again");
  });

  test("a refused reply link ends the connection, and the call names the cause", async () => {
    const { driver, peer } = driverBed();
    peer.refuse = (address) => (address === REPLIES ? "no dynamic nodes" : undefined);
    const error = await failureOf(driver.call(callRequest({ timeoutMs: 300 })));
    expect(error).toMatchObject({ name: "MessagingTimeout", phase: "connecting" });
    expect(error).toHaveProperty("cause.message", "no link for replies: amqp:not-found: no dynamic nodes");
  });

  test("a cast does not wait for the reply link", async () => {
    const { driver, peer } = driverBed();
    await driver.cast({ target: TARGET, context: {}, body: { method: "m", args: {} } });
    expect(peer.links.unread.map((link) => link.address)).toEqual([ANYCAST]);
  });
});
