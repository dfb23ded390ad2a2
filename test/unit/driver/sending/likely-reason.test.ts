import { describe, expect, test } from "vitest";
import { encodeRequest } from "@/src/driver/amqp/wire.js";
import {
  ANYCAST,
  callRequest,
  castRequest,
  DriverPeer,
  driverBed,
  failureOf,
  inbox,
  NOTIFICATIONS,
  next,
  notifyRequest,
  TARGET,
} from "@/test/fixtures/peers/driver-peer.js";

const ROUTER = "qpid-dispatch-router";
const BROKER = "oslo-messaging-broker";

function bedOf(product: string) {
  const peer = new DriverPeer();
  peer.product = product;
  return driverBed({}, { peers: [peer] });
}

describe("the message of a timeout says what may be wrong", () => {
  const unheard =
    "no receiver is attached to this address (a server that is not started, another topic or virtual host)";

  test.each([
    [ROUTER, `): ${unheard}, or each is busy`],
    [BROKER, "): the address may be full"],
    ["test-router", `): ${unheard}, or each is busy; behind a broker, the address may be full`],
  ])("a message without credit at %s times out with a message that says why", async (product, end) => {
    const { driver, peer } = bedOf(product);
    peer.credit = 0;
    const messages = [
      driver.call(callRequest({ timeoutMs: 100 })),
      driver.cast(castRequest({ timeoutMs: 100 })),
      driver.cast(castRequest()), // MessageDeliveryFailure, after the default timeout
    ];
    for (const error of await Promise.all(messages.map(failureOf))) {
      expect(error).toMatchObject({
        phase: "credit",
        message: expect.stringMatching(/failed: (unsent: )?timed out \(/),
      });
      expect(error.message.endsWith(end), error.message).toBe(true);
      expect("cause" in error).toBe(false);
    }
  });

  test.each([
    [ROUTER, "): the method may take longer than the timeout"],
    [BROKER, "): no server may be listening, or the method may take longer than the timeout"],
  ])("a call without a reply at %s times out with a message that says why", async (product, end) => {
    const { driver, peer } = bedOf(product);
    const failing = failureOf(driver.call(callRequest({ timeoutMs: 100 })));
    (await peer.message()).accept();
    const error = await failing;
    expect(error.message.endsWith(end), error.message).toBe(true);
  });

  test("a message and an attempt to connect whose host does not answer time out with a message that says so", async () => {
    const connect = (_: unknown, signal: AbortSignal) =>
      new Promise<never>((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const { driver } = driverBed({}, { connect });
    const failures = [driver.cast(castRequest({ timeoutMs: 50 })), driver.connect({ timeoutMs: 50 })];
    for (const { message } of await Promise.all(failures.map(failureOf))) {
      expect(message).toMatch(/phase connecting, .*\): no answer from the host yet$/);
    }
  });

  test("a reply without credit is logged with the message that its caller may have disconnected", async () => {
    const { driver, peer, logger } = driverBed({ defaultReplyTimeoutMs: 50 });
    const incoming = inbox();
    await driver.listen(TARGET.with({ server: "s" }), (message) => incoming.put(message));
    const link = await peer.link(ANYCAST, "sender");
    const body = encodeRequest({ body: { method: "m", args: {} }, context: {} });
    void peer.send(link, { messageId: "id-1", replyTo: "back", body });
    const request = await next(incoming);
    peer.credit = 0;
    await request.reply(1);
    expect(logger.of("warn").join("\n")).toMatch(/^RPC Reply .*\): the caller may have disconnected$/m);
  });
});

describe("the message of a failure ends in the problem that delayed it", () => {
  test("a message that times out while connecting ends in the error of the last attempt", async () => {
    const peer = new DriverPeer();
    peer.down = new Error("connection refused");
    const { driver } = driverBed({}, { peers: [peer] });
    const failures = await Promise.all(
      [driver.cast(castRequest({ timeoutMs: 50 })), driver.cast(castRequest())].map(failureOf),
    );
    for (const { message } of failures) expect(message).toMatch(/phase connecting, .*\): connection refused$/);
  });

  test("a message whose link is refused ends in the refusal", async () => {
    const { driver, peer } = driverBed();
    peer.refuse = () => "no such node";
    const { message } = await failureOf(driver.cast(castRequest({ timeoutMs: 100 })));
    expect(message).toMatch(/timed out \(phase credit, .*\): amqp:not-found: no such node$/);
    const once = await failureOf(driver.cast(castRequest({ retry: 0 })));
    expect(once.message).toMatch(/failed: unsent: amqp:not-found: no such node \([^)]*\)$/);
  });

  test("a released message that times out ends in its last outcome", async () => {
    const { driver, peer } = driverBed({ linkRetryDelayMs: 30_000 });
    const failing = failureOf(driver.notify(notifyRequest({ timeoutMs: 100 })));
    (await peer.message(NOTIFICATIONS)).release();
    const { message, cause } = await failing;
    expect(message).toMatch(/timed out \(phase credit, [^)]*\): released by the peer$/);
    expect(cause).toMatchObject({ name: "MessageDeliveryFailure", outcome: "released" });
  });

  test("a call that was released before it was accepted does not end in that outcome", async () => {
    const { driver, peer } = bedOf(ROUTER);
    const failing = failureOf(driver.call(callRequest({ timeoutMs: 300 })));
    (await peer.message()).release();
    (await peer.message()).accept();
    const error = await failing;
    expect(error.message).toMatch(/phase reply, [^)]*\): the method may take longer than the timeout$/);
    expect("cause" in error).toBe(false);
  });

  test("a message that is closed with the transport has no guess at a reason", async () => {
    const { driver, peer } = bedOf(ROUTER);
    peer.credit = 0;
    const failing = failureOf(driver.cast(castRequest()));
    await peer.link(ANYCAST, "receiver");
    await driver.close(0);
    expect((await failing).message).toMatch(/the transport was closed \(phase credit, [^)]*\)$/);
  });
});

test("a failed message has its operation, target and time limit as fields", async () => {
  const { driver, peer } = bedOf(ROUTER);
  peer.credit = 0;
  const [limited, standard, called] = await Promise.all(
    [
      driver.cast(castRequest({ timeoutMs: 150 })),
      driver.cast(castRequest()),
      driver.call(callRequest({ timeoutMs: 100 })),
    ].map(failureOf),
  );
  expect(limited).toMatchObject({ name: "MessagingTimeout", operation: "RPC Cast", target: TARGET, timeoutMs: 150 });
  expect(standard).toMatchObject({ name: "MessageDeliveryFailure", operation: "RPC Cast", timeoutMs: 200 });
  expect(called).toMatchObject({ operation: "RPC Call", target: TARGET, timeoutMs: 100 });
});
