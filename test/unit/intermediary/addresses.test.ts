import { describe, expect, test } from "vitest";
import { distributions, isDynamicAddress, newDynamicAddress } from "@/src/intermediary/addresses.js";

describe("distributions", () => {
  test.each([
    ["exclusive.openstack.topic.server", "closest"],
    ["broadcast.openstack.topic.all", "multicast"],
    ["unicast.openstack.topic", "closest"],
    ["openstack.org/om/rpc/multicast/openstack/topic", "multicast"],
    ["openstack.org/om/rpc/unicast/openstack/topic/server", "closest"],
    ["openstack.org/om/rpc/anycast/openstack/topic", "balanced"],
    ["openstack.org/om/notify/multicast/openstack/topic", "multicast"],
    ["openstack.org/om/notify/unicast/openstack/topic/server", "closest"],
    ["openstack.org/om/notify/anycast/openstack/notifications.info", "balanced"],
    ["anything", "balanced"],
    ["broadcasting", "balanced"],
    ["openstack.org/om/rpc/multicasting/topic", "balanced"],
  ])("the address %s is %s", (address, distribution) => {
    expect(distributions()(address)).toBe(distribution);
  });

  test("custom prefixes replace the default ones", () => {
    const of = distributions({ rpcAddressPrefix: "my/rpc", multicastAddress: "all", broadcastPrefix: "shout" });
    expect(of("my/rpc/all/exchange/topic")).toBe("multicast");
    expect(of("openstack.org/om/notify/all/exchange/topic")).toBe("multicast");
    expect(of("shout.exchange.topic.all")).toBe("multicast");
    expect(of("openstack.org/om/rpc/multicast/exchange/topic")).toBe("balanced");
    expect(of("broadcast.exchange.topic.all")).toBe("balanced");
  });

  test("the longest matching prefix decides the distribution", () => {
    const of = distributions({ broadcastPrefix: "a", groupRequestPrefix: "a.b" });
    expect(of("a.b.c")).toBe("closest");
    expect(of("a.c")).toBe("multicast");
  });
});

describe("dynamic addresses", () => {
  test("dynamic addresses are recognized, long and unique", () => {
    const addresses = Array.from({ length: 1000 }, newDynamicAddress);
    expect(new Set(addresses).size).toBe(1000);
    for (const address of addresses) {
      expect(isDynamicAddress(address)).toBe(true);
      expect(address).toMatch(/[0-9a-f]{32}$/);
    }
    expect(isDynamicAddress("dynamic/topic")).toBe(false);
  });
});
