import { expect, test } from "vitest";
import { ANYCAST, driverBed, failureOf, TARGET } from "@/test/fixtures/peers/driver-peer.js";

test("a probe of a target whose link is detached fails with the reason of the peer", async () => {
  const { driver, peer } = driverBed();
  peer.credit = 0;
  const failing = failureOf(driver.probe(TARGET, "rpc", undefined));
  const { receiver } = await peer.link(ANYCAST, "receiver");
  await receiver?.close({ condition: "amqp:resource-deleted", description: "the queue is gone" });
  expect((await failing).message).toContain("the queue is gone");
});

test("a probe of a target fails when its connection is lost", async () => {
  const { driver, peer } = driverBed();
  peer.credit = 0;
  const failing = failureOf(driver.probe(TARGET, "rpc", undefined));
  await peer.link(ANYCAST, "receiver");
  await peer.kill();
  expect((await failing).message).toContain("amqp:connection:forced");
});
