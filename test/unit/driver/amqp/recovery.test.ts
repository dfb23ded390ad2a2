import { describe, expect, test } from "vitest";
import type { Delivery } from "@/src/core/links/delivery.js";
import { encodeRequest } from "@/src/driver/amqp/wire.js";
import {
  ANYCAST,
  callRequest,
  castRequest,
  driverBed,
  failureOf,
  inbox,
  next,
  REPLIES,
  TARGET,
} from "@/test/fixtures/peers/driver-peer.js";

/** The scenarios of oslo's TestLinkRecovery and TestMessageRetransmit (oslo_messaging/tests/drivers/test_amqp_driver.py). */

const UNICAST = "openstack.org/om/rpc/unicast/openstack/topic/s";
const MULTICAST = "openstack.org/om/rpc/multicast/openstack/topic";

describe("a call whose link is detached repeatedly", () => {
  test("a call survives as many lost links as it has retries", { tags: ["link:sender:refused"] }, async () => {
    const { driver, peer } = driverBed();
    peer.credit = 0;
    const calling = driver.call(callRequest({ retry: 3 }));
    const replies = await peer.link(REPLIES, "sender");
    for (let losses = 0; losses < 2; losses++) await (await peer.link(ANYCAST, "receiver")).receiver?.close();
    (await peer.link(ANYCAST, "receiver")).receiver?.grant(10);
    await peer.answer("answered", replies);
    expect(await calling).toBe("answered");
  });

  test("a call fails when its links are lost more often than its retries allow", {
    tags: ["link:sender:refused-too-often"],
  }, async () => {
    const { driver, peer } = driverBed();
    peer.credit = 0;
    const failing = failureOf(driver.call(callRequest({ retry: 2 })));
    for (let losses = 0; losses < 3; losses++) await (await peer.link(ANYCAST, "receiver")).receiver?.close();
    expect(await failing).toMatchObject({ name: "MessageDeliveryFailure", outcome: "unsent", phase: "credit" });
  });
});

test("a server whose links are all detached twice serves by each of them again", {
  tags: ["link:listener:recovery"],
}, async () => {
  const { driver, peer } = driverBed();
  const incoming = inbox();
  await driver.listen(TARGET.with({ server: "s" }), (message) => incoming.put(message));
  const addresses = [UNICAST, MULTICAST, ANYCAST];
  for (let losses = 0; losses < 2; losses++) {
    for (const address of addresses) await (await peer.link(address, "sender")).sender?.close();
  }
  for (const address of addresses) {
    const body = encodeRequest({ body: { method: address, args: {} }, context: {} });
    const sending = peer.send(await peer.link(address, "sender"), { body });
    const message = await next(incoming);
    expect(message.body).toMatchObject({ method: address });
    message.acknowledge();
    expect(await sending).toEqual({ type: "accepted" });
  }
});

test("casts without credit block no call, and are sent in order when credit arrives", {
  tags: ["link:sender:blocked"],
}, async () => {
  const { driver, peer } = driverBed({ defaultSendTimeoutMs: 30_000 });
  peer.credit = 0;
  const target = TARGET.with({ fanout: true });
  const casting = ["1", "2", "3"].map((method) => driver.cast(castRequest({ target, body: { method, args: {} } })));
  const blocked = await peer.link(MULTICAST, "receiver");
  peer.credit = 10;
  const calling = driver.call(callRequest());
  await peer.answer("not blocked", await peer.link(REPLIES, "sender"));
  expect(await calling).toBe("not blocked");
  expect(peer.deliveries.unread).toEqual([]);
  blocked.receiver?.grant(10);
  await Promise.all(casting);
  const bodies = [];
  for (let i = 0; i < 3; i++) bodies.push((await peer.message(MULTICAST)).message.body);
  expect(bodies).toMatchObject(
    ["1", "2", "3"].map((name) => ({ value: expect.stringContaining(`"method":"${name}"`) })),
  );
});

describe("a request of a call with two retries that is returned", () => {
  const modified = (deliveryFailed: boolean) => (delivery: Delivery) =>
    delivery.modify({ deliveryFailed, undeliverableHere: false });

  test.each([
    { how: "released", refuse: (delivery: Delivery) => delivery.release() },
    { how: "modified, not failed", refuse: modified(false) },
  ])("a call whose request is $how twice is answered at the third attempt", async ({ refuse }) => {
    const { driver, peer } = driverBed();
    const calling = driver.call(callRequest({ retry: 2 }));
    const replies = await peer.link(REPLIES, "sender");
    const ids = new Set();
    for (let times = 0; times < 2; times++) {
      const request = await peer.message();
      ids.add(request.message.messageId);
      refuse(request);
    }
    await peer.answer("answered", replies);
    expect(await calling).toBe("answered");
    expect(ids.size).toBe(2);
  });

  test.each([
    { how: "modified", refuse: modified(true), message: "delivery failed: true" },
    {
      how: "rejected",
      refuse: (delivery: Delivery) => delivery.reject({ condition: "amqp:not-allowed" }),
      message: "rejected: amqp:not-allowed",
    },
  ])("a call whose request is $how for good fails at once", async ({ how, refuse, message }) => {
    const { driver, peer } = driverBed();
    const failing = failureOf(driver.call(callRequest({ retry: 2 })));
    refuse(await peer.message());
    expect(await failing).toMatchObject({
      name: "MessageDeliveryFailure",
      outcome: how,
      phase: "acknowledgement",
      message: expect.stringContaining(message),
    });
    expect(peer.deliveries.unread).toEqual([]);
  });
});
