import { describe, expect, it } from "vitest";
import { ConfigurationError } from "@/src/driver/exceptions.js";
import { type AmqpOptions, resolveOptions } from "@/src/driver/options/options.js";
import type { RecipeInit } from "@/src/recipes/recipe.js";
import { RECIPE_OF_PRODUCT, RECIPES } from "@/src/recipes/recipes.js";

/** The guide's prefixes and their distributions. */
const LEGACY = { exclusive: "closest", broadcast: "multicast", unicast: "closest" };
const ROUTABLE = {
  "openstack.org/om/rpc/multicast": "multicast",
  "openstack.org/om/rpc/unicast": "closest",
  "openstack.org/om/rpc/anycast": "balanced",
  "openstack.org/om/notify/multicast": "multicast",
  "openstack.org/om/notify/unicast": "closest",
  "openstack.org/om/notify/anycast": "balanced",
};
const CUSTOM: AmqpOptions = {
  serverRequestPrefix: "one",
  broadcastPrefix: "all",
  groupRequestPrefix: "any",
  rpcAddressPrefix: "acme/rpc",
  notifyAddressPrefix: "acme/events",
  multicastAddress: "every",
  unicastAddress: "single",
  anycastAddress: "some",
};
const CUSTOM_LEGACY = { one: "closest", all: "multicast", any: "closest" };
const CUSTOM_ROUTABLE = {
  "acme/rpc/every": "multicast",
  "acme/rpc/single": "closest",
  "acme/rpc/some": "balanced",
  "acme/events/every": "multicast",
  "acme/events/single": "closest",
  "acme/events/some": "balanced",
};

function print(name: string, amqp: AmqpOptions = {}, init: Partial<RecipeInit> = {}): string {
  const recipe = RECIPES.get(name);
  if (recipe === undefined) throw new Error(`no recipe ${name}`);
  return recipe({
    options: resolveOptions({ options: amqp }),
    host: "127.0.0.1",
    port: 5672,
    anonymous: false,
    ...init,
  });
}

/** The attributes of every block of this kind, in the syntax of the routers. */
function blocks(text: string, entity: string): Record<string, string>[] {
  const bodies = [...text.matchAll(/^(\w+) \{\n([^}]*)\}$/gm)].filter(([, name]) => name === entity);
  return bodies.map(([, , body = ""]) =>
    Object.fromEntries(
      body
        .trim()
        .split("\n")
        .map((line) => line.trim().split(": ")),
    ),
  );
}

describe.each(["qdrouterd", "skrouterd"])("%s", (name) => {
  const addresses = (amqp?: AmqpOptions) =>
    Object.fromEntries(blocks(print(name, amqp), "address").map(({ prefix, distribution }) => [prefix, distribution]));

  it(`the recipe of ${name} has both forms of addresses unless addressing_mode names one`, {
    tags: ["recipe:options"],
  }, () => {
    expect(addresses()).toEqual({ ...LEGACY, ...ROUTABLE });
    expect(addresses({ addressingMode: "legacy" })).toEqual(LEGACY);
    expect(addresses({ addressingMode: "routable" })).toEqual(ROUTABLE);
  });

  it(`the recipe of ${name} follows the options for addresses`, { tags: ["recipe:options"] }, () => {
    expect(addresses(CUSTOM)).toEqual({ ...CUSTOM_LEGACY, ...CUSTOM_ROUTABLE });
  });

  it(`the recipe of ${name} listens for AMQP over TCP and over WebSocket`, () => {
    const listeners = blocks(print(name, {}, { host: "10.0.0.1", port: 1, wsPort: 2, anonymous: true }), "listener");
    const both = { host: "10.0.0.1", role: "normal", authenticatePeer: "no", saslMechanisms: "ANONYMOUS" };
    expect(listeners).toEqual([
      { ...both, port: "1" },
      { ...both, port: "2", http: "yes" },
    ]);
  });

  it(`the recipe of ${name} requires a password unless clients may connect anonymously`, () => {
    for (const listener of blocks(print(name), "listener")) {
      expect(listener["authenticatePeer"]).toBe("yes");
      expect(listener["saslMechanisms"]).not.toContain("ANONYMOUS");
    }
  });

  it(`the recipe of ${name} consists of blocks and comments`, () => {
    const rest = print(name).replace(/^(\w+) \{\n([^}]*)\}$/gm, "");
    expect(rest.split("\n").filter((line) => line !== "" && !line.startsWith("# "))).toEqual([]);
  });
});

describe("qpidd", () => {
  const patterns = (amqp?: AmqpOptions) =>
    Object.fromEntries(
      [...print("qpidd", amqp).matchAll(/^(queue|topic)-patterns=(.*)$/gm)].map(([, kind, of]) => [of, kind]),
    );

  it("the recipe of qpidd has queue and topic patterns for legacy addresses unless addressing_mode is routable", {
    tags: ["recipe:options"],
  }, () => {
    expect(patterns()).toEqual({ exclusive: "queue", unicast: "queue", broadcast: "topic" });
    expect(patterns(CUSTOM)).toEqual({ one: "queue", any: "queue", all: "topic" });
    expect(patterns({ addressingMode: "routable" })).toMatchObject({
      "openstack.org/om/rpc/multicast": "topic",
      "openstack.org/om/rpc/anycast": "queue",
    });
  });

  it("the recipe of qpidd consists of options and comments", () => {
    const lines = print("qpidd").split("\n");
    expect(lines.filter((line) => !/^$|^# |^[a-z-]+=\S+$/.test(line))).toEqual([]);
  });
});

describe("artemis", () => {
  const settings = (amqp?: AmqpOptions) => {
    const found = print("artemis", amqp).matchAll(/<address-setting match="([^"]*)">([\s\S]*?)<\/address-setting>/g);
    return Object.fromEntries(
      [...found].map(([, match, text = ""]) => [match, /address-routing-type>(\w+)</.exec(text)?.[1]]),
    );
  };

  it("the recipe of artemis sets the routing type of routable addresses unless addressing_mode is legacy", {
    tags: ["recipe:options"],
  }, () => {
    const routable = Object.entries(ROUTABLE).map(([prefix, distribution]) => [
      `${prefix}/#`,
      distribution === "multicast" ? "MULTICAST" : "ANYCAST",
    ]);
    expect(settings()).toEqual(Object.fromEntries(routable));
    expect(settings({ addressingMode: "routable" })).toEqual(Object.fromEntries(routable));
    expect(print("artemis")).toContain("<delimiter>/</delimiter>");
    const legacy = { "exclusive.#": "ANYCAST", "broadcast.#": "MULTICAST", "unicast.#": "ANYCAST" };
    expect(settings({ addressingMode: "legacy" })).toEqual(legacy);
    expect(print("artemis", { addressingMode: "legacy" })).toContain("<delimiter>.</delimiter>");
  });

  it("the recipe of artemis has one acceptor for TCP and WebSocket, or two if their ports differ", () => {
    const acceptors = (text: string) => [...text.matchAll(/<acceptor [^>]*>tcp:\/\/([^?]*)\?/g)].map(([, at]) => at);
    expect(acceptors(print("artemis"))).toEqual(["127.0.0.1:5672"]);
    expect(acceptors(print("artemis", {}, { host: "::1", wsPort: 8080 }))).toEqual(["[::1]:5672", "[::1]:8080"]);
  });
});

describe("broker-j", () => {
  const policies = (amqp?: AmqpOptions): { pattern: string; nodeType: string; createdOnConsume: boolean }[] => {
    const { virtualhostnodes } = JSON.parse(print("broker-j", amqp));
    return JSON.parse(virtualhostnodes[0].virtualHostInitialConfiguration).nodeAutoCreationPolicies;
  };

  it("the recipe of broker-j creates queues and fanout exchanges for legacy addresses", () => {
    expect(policies()).toMatchObject([
      { pattern: "exclusive\\..*", nodeType: "Queue", createdOnConsume: true },
      { pattern: "broadcast\\..*", nodeType: "Exchange", createdOnConsume: false },
      { pattern: "unicast\\..*", nodeType: "Queue", createdOnConsume: true },
    ]);
    const { pattern } = policies({ serverRequestPrefix: "a(b.c" })[0] ?? { pattern: "" };
    expect(new RegExp(`^${pattern}$`).test("a(b.c.topic")).toBe(true);
  });

  it("the recipe of broker-j listens with both transports, and requires a password unless clients are anonymous", () => {
    const { ports, authenticationproviders } = JSON.parse(print("broker-j", {}, { port: 1, wsPort: 2 }));
    expect(ports).toMatchObject([
      { port: 1, transports: ["TCP"] },
      { port: 2, transports: ["WS"] },
    ]);
    expect(authenticationproviders).toMatchObject([{ type: "PlainPasswordFile" }]);
    expect(print("broker-j", {}, { anonymous: true })).toContain('"Anonymous"');
  });

  it("the recipe of broker-j is refused for routable addresses", { tags: ["recipe:refused"] }, () => {
    expect(() => print("broker-j", { addressingMode: "routable" })).toThrow(
      /addressing_mode.*Broker-J does not support/,
    );
  });
});

describe("prefixes in a recipe", () => {
  const all = ["qdrouterd", "skrouterd", "qpidd", "artemis", "broker-j"];

  it.each(all)("the recipe of %s refuses prefixes that clash or cannot be written, and names the option", (name) => {
    const refused = (amqp: AmqpOptions) => expect(() => print(name, { addressingMode: "legacy", ...amqp }));
    refused({ broadcastPrefix: "unicast" }).toThrow(/broadcast_prefix/);
    refused({ broadcastPrefix: "" }).toThrow(/broadcast_prefix/);
    refused({ serverRequestPrefix: "a}\naddress {" }).toThrow(ConfigurationError);
    refused({ groupRequestPrefix: 'a"/><b' }).toThrow(/group_request_prefix/);
  });

  it("a recipe has a prefix that two options share once", () => {
    const text = print("qdrouterd", { addressingMode: "legacy", serverRequestPrefix: "unicast" });
    expect(blocks(text, "address")).toHaveLength(2);
  });
});

it("every product that check knows has a recipe", { tags: ["recipe:products"] }, () => {
  expect(new Set(RECIPE_OF_PRODUCT.values())).toEqual(new Set(RECIPES.keys()));
});
