// Texts that oslo.messaging defines, letter for letter. Python programs and operators match on them. Each is named by its line
// in oslo_messaging at the last commit with the AMQP 1.0 driver. Other tests hold, also letter for letter:
// - exceptions.test.ts: NoSuchMethod (rpc/dispatcher.py:80), UnsupportedVersion (rpc/dispatcher.py:89-91), `remoteText`
//   of RemoteError (rpc/client.py:60; unlike in oslo, its `message` has no stack trace), RPCVersionCapError
//   (rpc/client.py:71), DriverLoadFailure (transport.py:187), "failed: timed out" and
//   "failed: call monitor timed out" (controller.py:153-154, 263-264), and the names of all exceptions
// - values/version.test.ts: "Version must contain a major and minor integer. Got X" (rpc/client.py:141)
// - amqp/wire.test.ts: the members of the envelope and "Specified RPC envelope version, X, not supported by this endpoint."
//   (_drivers/common.py:68-69, 139)
// - rpc/server.test.ts: oslo_rpc_server_ping and "pong" (rpc/dispatcher.py:57-58), the suffix _ignore_errors
// - target.test.ts: "<Target topic=t>" (target.py:95-103)
// - notify/sending/notifier.test.ts: oslo.messaging.notification.EVENT_TYPE (notify/_impl_log.py), the form of timestamps
import { expect, onTestFinished, test } from "vitest";
import { encodeRequest } from "@/src/driver/amqp/wire.js";
import { TransportURL } from "@/src/driver/options/transport-url.js";
import {
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  NotificationResult,
  Notifier,
} from "@/src/entry/node.js";

import { ANYCAST, driverBed, failureOf, inbox, next, TARGET } from "@/test/fixtures/peers/driver-peer.js";

/** A transport that never gets a connection. */
const UNREACHABLE = { logger: null, dialers: { amqp: () => Promise.reject(new Error("connection refused")) } };

function rpcTransport() {
  const transport = getRpcTransport("amqp://host/", UNREACHABLE);
  onTestFinished(() => transport.close());
  return transport;
}

function notificationTransport() {
  const transport = getNotificationTransport("amqp://host/", UNREACHABLE);
  onTestFinished(() => transport.close());
  return transport;
}

test("a target that lacks a member has oslo's text (transport.py:121, 139, 149; rpc/client.py:172)", async () => {
  const messageOf = (action: () => unknown) => failureOf((async () => await action())()).then(({ message }) => message);
  expect(await messageOf(() => getRpcClient(rpcTransport(), {}).call({}, "m"))).toBe(
    "A topic is required to send:<Target >",
  );
  expect(await messageOf(() => getRpcClient(rpcTransport(), { topic: "t", fanout: true }).call({}, "m"))).toBe(
    "A call cannot be used with fanout:<Target topic=t, fanout=True>",
  );
  expect(await messageOf(() => getRpcServer(rpcTransport(), { topic: "t" }, [{}]))).toBe(
    "A server's target must have topic and server names specified:<Target topic=t>",
  );
  expect(await messageOf(() => getNotificationListener(notificationTransport(), [{}], [{ info() {} }]))).toBe(
    "A target must have topic specified:<Target >",
  );
});

test("a URL without scheme or of a wrong type has oslo's text (transport.py:459, 464)", () => {
  expect(() => TransportURL.parse("//host/")).toThrow(/^No scheme specified: /);
  expect(() => TransportURL.parse(5 as unknown as string)).toThrow(/^Wrong URL type: /);
});

test("a failed send is named as in oslo: RPC Call, RPC Cast, Notify (controller.py:153)", async () => {
  const timeoutMs = 20;
  const client = getRpcClient(rpcTransport(), { topic: "t" });
  const notifier = new Notifier(notificationTransport(), { publisherId: "p" });
  const sends = [
    [() => client.call({}, "m", {}, { timeoutMs }), "RPC Call message sent to <Target topic=t> failed: timed out ("],
    [() => client.cast({}, "m", {}, { timeoutMs }), "RPC Cast message sent to <Target topic=t> failed: timed out ("],
    [
      () => notifier.info({}, "e", 1, { timeoutMs }),
      "Notify message sent to <Target topic=notifications.info> failed: timed out (",
    ],
  ] as const;
  for (const [send, text] of sends) {
    const { name, message } = await failureOf(send());
    expect([name, message.slice(0, text.length)]).toEqual(["MessagingTimeout", text]);
  }
});

test("an undelivered reply and heartbeat are logged as in oslo: RPC Reply, RPC KeepAlive (impl_amqp1.py:129, 142)", async () => {
  const { driver, peer, logger } = driverBed({ defaultReplyTimeoutMs: 50 });
  const incoming = inbox();
  await driver.listen(TARGET.with({ server: "s" }), (message) => incoming.put(message));
  const link = await peer.link(ANYCAST, "sender");
  const body = encodeRequest({ body: { method: "m", args: {} }, context: {} });
  void peer.send(link, { messageId: "id-1", replyTo: "back", body });
  const request = await next(incoming);
  peer.credit = 0;
  request.heartbeat();
  await expect.poll(() => logger.of("warn").join("\n")).toMatch(/^RPC KeepAlive message sent to back failed: /m);
  await request.reply(1);
  expect(logger.of("warn").join("\n")).toMatch(/^RPC Reply message sent to back failed: /m);
});

test("the results of notification endpoints are oslo's (notify/dispatcher.py:31-32)", () => {
  expect(NotificationResult).toEqual({ HANDLED: "handled", REQUEUE: "requeue" });
});
