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

const FAILURE = { excType: "ValueError", module: "builtins", message: "no", traceback: [], args: ["no"], kwargs: {} };

describe("a call", () => {
  test("sends a request with a new id, the reply address that the peer gave and the timeout as ttl", {
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

  test("gets its own reply, in whatever order they come", async () => {
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

  test("is done when its reply comes before the acknowledgement", async () => {
    const { driver, peer } = driverBed();
    const calling = driver.call(callRequest());
    const replies = await peer.link(REPLIES, "sender");
    const request = await peer.message();
    await peer.send(replies, { correlationId: request.message.messageId, body: encodeReply("early") });
    expect(await calling).toBe("early");
  });

  test("rejects with the RemoteError of the server", async () => {
    const { driver, peer } = driverBed();
    const calling = driver.call(callRequest());
    const failed = expect(calling).rejects.toMatchObject({ name: "RemoteError", excType: "ValueError", value: "no" });
    const replies = await peer.link(REPLIES, "sender");
    const request = await peer.message();
    request.accept();
    await peer.send(replies, { correlationId: request.message.messageId, body: encodeFailure(FAILURE) });
    await failed;
  });

  test("rejects with what remoteExceptions makes of the failure", async () => {
    const remoteExceptions = new Map([["builtins.ValueError", () => new RangeError("mapped")]]);
    const { driver, peer } = driverBed({}, { remoteExceptions });
    const failed = expect(driver.call(callRequest())).rejects.toEqual(new RangeError("mapped"));
    const replies = await peer.link(REPLIES, "sender");
    const request = await peer.message();
    request.accept();
    await peer.send(replies, { correlationId: request.message.messageId, body: encodeFailure(FAILURE) });
    await failed;
  });

  test("rejects when its reply cannot be read, and the reply is rejected", {
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

  test("that was given up leaves a reply that is handed back", async () => {
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

  test("refuses arguments that JSON cannot hold", async () => {
    const { driver } = driverBed();
    const body = { method: "m", args: { arg: Number.NaN } };
    await expect(driver.call(callRequest({ body }))).rejects.toThrow("request.args.arg is NaN");
  });

  test("whose reply nobody knows leaves it handed back: with an id of its own making, or none", {
    tags: ["rpc:call:unknown-reply"],
  }, async () => {
    const { driver, peer, logger } = driverBed();
    const calling = driver.call(callRequest());
    const replies = await peer.link(REPLIES, "sender");
    for (const correlationId of ["nobody's", 7n, undefined]) {
      const outcome = await peer.send(replies, { correlationId, body: encodeReply("stray") });
      expect(outcome).toEqual({ type: "modified", deliveryFailed: true, undeliverableHere: true });
    }
    expect(logger.of("warn")).toHaveLength(3);
    await peer.answer("its own", replies);
    expect(await calling).toBe("its own");
  });

  describe("rejects with the reason of its signal", () => {
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
        phase: "in the pause after it came back",
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
    ])("$phase", { tags: ["send:signal"] }, async ({ options, prepare, reached }) => {
      const bed = driverBed(options);
      prepare?.(bed.peer);
      const late = new AbortController();
      const failing = failureOf(bed.driver.call(callRequest({ signal: late.signal })));
      await reached(bed);
      late.abort(new Error("enough"));
      expect((await failing).message).toBe("enough");
    });

    test("that was aborted before, and nothing is sent", async () => {
      const { driver, peer } = driverBed();
      const signal = AbortSignal.abort(new Error("before"));
      expect((await failureOf(driver.call(callRequest({ signal })))).message).toBe("before");
      await driver.cast(castRequest());
      await peer.message();
      expect(peer.deliveries.unread).toEqual([]);
    });
  });
});

describe("a call that waits too long", () => {
  const address = ANYCAST;

  test("for a connection names its phase, and why there is none", { tags: ["send:timeout:told"] }, async () => {
    const peer = new DriverPeer();
    peer.down = new Error("connection refused");
    const { driver } = driverBed({}, { peers: [peer] });
    const error = await failureOf(driver.call(callRequest({ timeoutMs: 300 })));
    expect(error).toBeInstanceOf(MessagingTimeout);
    expect(error).toMatchObject({ phase: "connecting", host: "peer0:5672", address: undefined, cause: peer.down });
    expect(error.message).toContain("RPC Call message sent to <Target topic=topic> failed: timed out");
    expect(error).toHaveProperty("elapsedMs", expect.closeTo(300, -2));
  });

  test("for credit", async () => {
    const { driver, peer } = driverBed();
    peer.credit = 0;
    const failed = expect(driver.call(callRequest({ timeoutMs: 300 }))).rejects;
    await failed.toMatchObject({ name: "MessagingTimeout", phase: "credit", address, host: "peer0:5672" });
  });

  test("for an acknowledgement", async () => {
    const { driver } = driverBed();
    const failed = expect(driver.call(callRequest({ timeoutMs: 300 }))).rejects;
    await failed.toMatchObject({ name: "MessagingTimeout", phase: "acknowledgement", address });
  });

  test("for its reply", async () => {
    const { driver, peer } = driverBed();
    const failed = expect(driver.call(callRequest({ timeoutMs: 300 }))).rejects;
    (await peer.message()).accept();
    await failed.toMatchObject({ name: "MessagingTimeout", phase: "reply", address });
  });

  test("for a link that the peer refuses names the refusal", async () => {
    const { driver, peer } = driverBed();
    peer.refuse = (to) => (to === ANYCAST ? "no such node" : undefined);
    const error = await failureOf(driver.call(callRequest({ timeoutMs: 300 })));
    expect(error).toMatchObject({ name: "MessagingTimeout", phase: "credit", address });
    expect(error.cause).toMatchObject({ condition: "amqp:not-found", description: "no such node" });
  });
});

describe("a monitored call", () => {
  test("lives on heartbeats, and ends when they stay away", { tags: ["rpc:monitor:silent"] }, async () => {
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

  test("gets its reply after heartbeats", async () => {
    const { driver, peer } = driverBed();
    const calling = driver.call(callRequest({ callMonitorTimeoutMs: 2_000 }));
    const replies = await peer.link(REPLIES, "sender");
    const { message } = await peer.message();
    await peer.send(replies, { correlationId: message.messageId, body: HEARTBEAT });
    await peer.send(replies, { correlationId: message.messageId, body: encodeReply(1) });
    expect(await calling).toBe(1);
  });

  test("ends with the phase that it is in when the monitor is up before the request was taken", async () => {
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

  test("rejects with the reason of the caller's signal, and lets go of it", async () => {
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

/** A signal that tells who listens. */
function watchedSignal() {
  const controller = new AbortController();
  const { signal } = controller;
  vi.spyOn(signal, "addEventListener");
  vi.spyOn(signal, "removeEventListener");
  return { signal, abort: (reason: Error) => controller.abort(reason) };
}

describe("a lost connection", () => {
  test("ends a call whose request may have got through", { tags: ["send:connection-lost"] }, async () => {
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

  test("lets an acknowledged call wait for its time, as oslo does", async () => {
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

  test("fails an acknowledged call at once where calls are to fail fast", { tags: ["send:fail-fast"] }, async () => {
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

  test("keeps an unsent call also where calls are to fail fast", { tags: ["send:fail-fast"] }, async () => {
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

  test("fails a pre-settled call at once where calls are to fail fast", {
    tags: ["send:fail-fast", "send:pre-settled:kinds"],
  }, async () => {
    const { driver, peer } = driverBed({ preSettled: ["rpc-call"] }, { failFast: true });
    const failing = failureOf(driver.call(callRequest()));
    expect((await peer.message()).settled).toBe(true);
    await peer.kill();
    expect(await failing).toMatchObject({ name: "MessageDeliveryFailure", outcome: "unknown", phase: "reply" });
  });

  test("sends an unsent request over the next connection, with a new id and reply address", {
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

  test("sends it to the address that the next peer needs", async () => {
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

  test("fails an unsent call that may not be tried again", async () => {
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

describe("the reply link", () => {
  test("is made once, at the first call of a connection", async () => {
    const { driver, peer } = driverBed();
    await driver.connect(undefined);
    expect(peer.links.unread).toEqual([]);
    const calls = [driver.call(callRequest()), driver.call(callRequest())];
    const replies = await peer.link(REPLIES, "sender");
    await peer.answer(1, replies);
    await peer.answer(2, replies);
    await Promise.all(calls);
    expect(peer.links.unread.map((link) => link.address)).toEqual([ANYCAST]);
  });

  test("that is detached ends the connection, and the next one has another", {
    tags: ["link:reply:loss"],
  }, async () => {
    const { driver, peer, status } = driverBed();
    const failed = expect(driver.call(callRequest({ timeoutMs: 600 }))).rejects.toMatchObject({ phase: "reply" });
    const replies = await peer.link(REPLIES, "sender");
    (await peer.message()).accept();
    const watcher = status.watch();
    await peer.connections.take("a connection", () => true);
    await replies.sender?.close({ condition: "amqp:resource-deleted" });
    for await (const present of watcher) {
      if (present.type !== "disconnected") continue;
      expect(present.error?.message).toBe("no link for replies: amqp:resource-deleted");
      break;
    }
    await peer.connections.take("another connection", () => true);
    await failed;
    const calling = driver.call(callRequest());
    await peer.answer("again", await peer.link(REPLIES, "sender"));
    expect(await calling).toBe("again");
  });

  test("that is refused ends the connection, and the call tells why", async () => {
    const { driver, peer } = driverBed();
    peer.refuse = (address) => (address === REPLIES ? "no dynamic nodes" : undefined);
    const error = await failureOf(driver.call(callRequest({ timeoutMs: 300 })));
    expect(error).toMatchObject({ name: "MessagingTimeout", phase: "connecting" });
    expect(error).toHaveProperty("cause.message", "no link for replies: amqp:not-found: no dynamic nodes");
  });

  test("is not waited for by casts", async () => {
    const { driver, peer } = driverBed();
    await driver.cast({ target: TARGET, context: {}, body: { method: "m", args: {} } });
    expect(peer.links.unread.map((link) => link.address)).toEqual([ANYCAST]);
  });
});
