import { describe, expect, it } from "vitest";
import { Addresser, type AddresserInit } from "@/src/driver/amqp/addressing.js";
import type { ServiceKind } from "@/src/driver/driver.js";
import { type AmqpOptions, resolveOptions } from "@/src/driver/options/options.js";
import { Target } from "@/src/driver/target.js";

function addresser(options: AmqpOptions = {}, init: Partial<AddresserInit> = {}): Addresser {
  const plain = { controlExchange: "openstack", virtualHost: undefined, product: undefined };
  return new Addresser({ ...plain, ...init, options: resolveOptions({ options }) });
}

const DIRECT = new Target({ topic: "t", server: "s" });
const FANOUT = new Target({ topic: "t", fanout: true });
const SHARED = new Target({ topic: "t" });
const OWN_EXCHANGE = new Target({ topic: "t", exchange: "x" });

describe("a legacy address", () => {
  it.each<[Target, ServiceKind, string]>([
    [SHARED, "rpc", "unicast.openstack.t"],
    [SHARED, "notify", "unicast.openstack.t"],
    [DIRECT, "rpc", "exclusive.openstack.t.s"],
    [FANOUT, "rpc", "broadcast.openstack.t.all"],
    [OWN_EXCHANGE, "rpc", "unicast.x.t"],
  ])("the legacy address of %s for %s is %s", (target, service, address) => {
    expect(addresser({ addressingMode: "legacy" }).resolve(target, service).address).toBe(address);
  });

  it("a legacy address has the prefixes of the options, and ignores the default exchanges", () => {
    const made = addresser({
      addressingMode: "legacy",
      serverRequestPrefix: "one",
      broadcastPrefix: "all",
      groupRequestPrefix: "any",
      defaultRpcExchange: "not-here",
      defaultNotificationExchange: "not-here",
    });
    expect([DIRECT, FANOUT, SHARED].map((target) => made.resolve(target, "rpc").address)).toEqual([
      "one.openstack.t.s",
      "all.openstack.t.all",
      "any.openstack.t",
    ]);
    expect(made.resolve(SHARED, "notify").address).toBe("any.openstack.t");
  });

  it("a legacy address has the virtual host after the prefix", { tags: ["vhost:legacy"] }, () => {
    const made = addresser({ addressingMode: "legacy" }, { virtualHost: "vh" });
    expect(made.resolve(DIRECT, "rpc").address).toBe("exclusive.vh.openstack.t.s");
    expect(made.resolve(FANOUT, "rpc").address).toBe("broadcast.vh.openstack.t.all");
  });
});

describe("a routable address", () => {
  it.each<[Target, ServiceKind, string]>([
    [SHARED, "rpc", "openstack.org/om/rpc/anycast/openstack/t"],
    [SHARED, "notify", "openstack.org/om/notify/anycast/openstack/t"],
    [DIRECT, "rpc", "openstack.org/om/rpc/unicast/openstack/t/s"],
    [FANOUT, "rpc", "openstack.org/om/rpc/multicast/openstack/t"],
    [OWN_EXCHANGE, "rpc", "openstack.org/om/rpc/anycast/x/t"],
  ])("the routable address of %s for %s is %s", (target, service, address) => {
    expect(addresser({ addressingMode: "routable" }).resolve(target, service).address).toBe(address);
  });

  it("a routable address has the words of the options", () => {
    const made = addresser({
      addressingMode: "routable",
      rpcAddressPrefix: "r",
      notifyAddressPrefix: "n",
      multicastAddress: "all",
      unicastAddress: "one",
      anycastAddress: "any",
      defaultRpcExchange: "rx",
      defaultNotificationExchange: "nx",
    });
    expect([DIRECT, FANOUT, SHARED, OWN_EXCHANGE].map((target) => made.resolve(target, "rpc").address)).toEqual([
      "r/one/rx/t/s",
      "r/all/rx/t",
      "r/any/rx/t",
      "r/any/x/t",
    ]);
    expect(made.resolve(SHARED, "notify").address).toBe("n/any/nx/t");
  });

  it("a routable address has the control exchange, or openstack if that is empty", () => {
    const exchange = (controlExchange: string): string =>
      addresser({ addressingMode: "routable" }, { controlExchange }).resolve(SHARED, "rpc").address;
    expect(exchange("cinder")).toBe("openstack.org/om/rpc/anycast/cinder/t");
    expect(exchange("")).toBe("openstack.org/om/rpc/anycast/openstack/t");
  });

  it("a routable address has the virtual host after the delivery, unless the Open's hostname carries it", {
    tags: ["vhost:routable", "vhost:hostname"],
  }, () => {
    const made = (pseudoVhost: boolean, virtualHost: string | undefined): string =>
      addresser({ addressingMode: "routable", pseudoVhost }, { virtualHost }).resolve(DIRECT, "rpc").address;
    expect(made(true, "vh")).toBe("openstack.org/om/rpc/unicast/vh/openstack/t/s");
    expect(made(false, "vh")).toBe("openstack.org/om/rpc/unicast/openstack/t/s");
    expect(made(true, "")).toBe("openstack.org/om/rpc/unicast/openstack/t/s");
    expect(made(true, undefined)).toBe("openstack.org/om/rpc/unicast/openstack/t/s");
  });
});

describe("both kinds of addresses", () => {
  it("a target with fanout and server is sent to all servers", () => {
    const both = new Target({ topic: "t", server: "s", fanout: true });
    expect(addresser().resolve(both, "rpc").address).toBe("broadcast.openstack.t.all");
  });

  it("empty parts are omitted, as in oslo", () => {
    const empty = new Target({ topic: "t", server: "", exchange: "" });
    expect(addresser().resolve(empty, "rpc").address).toBe("unicast.openstack.t");
    expect(addresser({ groupRequestPrefix: "" }).resolve(SHARED, "rpc").address).toBe("openstack.t");
  });
});

describe("the addresses of listeners", () => {
  it("an RPC server listens on its unicast, multicast and anycast address, to which clients send", () => {
    for (const addressingMode of ["legacy", "routable"] as const) {
      const made = addresser({ addressingMode });
      const sent = [DIRECT, FANOUT, SHARED].map((target) => made.resolve(target, "rpc"));
      expect(made.serverRoutes(DIRECT)).toEqual(sent);
    }
  });

  it("the addresses of a server do not depend on fanout in its target", () => {
    const made = addresser();
    expect(made.serverRoutes(DIRECT.with({ fanout: true }))).toEqual(made.serverRoutes(DIRECT));
  });

  it("a notification listener listens on the address to which a notifier sends, and ignores the rest of its target", () => {
    const made = addresser({ addressingMode: "routable" });
    const target = new Target({ topic: "notifications.info", exchange: "x", server: "s", fanout: true });
    const sent = made.resolve(new Target({ topic: "notifications.info" }), "notify");
    expect(made.listenerRoute(target)).toEqual(sent);
    expect(sent.address).toBe("openstack.org/om/notify/anycast/openstack/notifications.info");
  });
});

describe("the dynamic addressing mode", () => {
  it.each([
    [undefined, "legacy"],
    ["qpid-cpp", "legacy"],
    ["Apache Qpid Broker-J Core", "legacy"],
    ["qpid-dispatch-router", "routable"],
    ["apache-activemq-artemis", "routable"],
    ["something new", "routable"],
  ])("the dynamic mode for the product %s is %s", { tags: ["addressing:dynamic"] }, (product, mode) => {
    expect(addresser({}, { product }).mode).toBe(mode);
  });

  it("the option addressingMode overrides the product", () => {
    expect(addresser({ addressingMode: "routable" }, { product: "qpid-cpp" }).mode).toBe("routable");
    expect(addresser({ addressingMode: "legacy" }, { product: "apache-activemq-artemis" }).mode).toBe("legacy");
  });
});

it("multicast addresses request a topic from Artemis, others a queue, in both modes", () => {
  for (const addressingMode of ["legacy", "routable"] as const) {
    const made = addresser({ addressingMode }, { product: "apache-activemq-artemis" });
    expect(made.serverRoutes(DIRECT).map((route) => route.capabilities)).toEqual([["queue"], ["topic"], ["queue"]]);
  }
  expect(addresser({}, { product: "qpid-dispatch-router" }).resolve(FANOUT, "rpc").capabilities).toEqual([]);
});
