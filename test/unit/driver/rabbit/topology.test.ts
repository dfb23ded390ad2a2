import { describe, expect, it } from "vitest";
import { ConfigurationError, InvalidTarget } from "@/src/driver/exceptions.js";
import { resolveRabbitOptions } from "@/src/driver/rabbit/options.js";
import { type BoundQueue, type Route, replyRoute, Topology } from "@/src/driver/rabbit/topology.js";
import { Target } from "@/src/driver/target.js";
import golden from "@/test/data/rabbit-golden.json";
import { RABBIT_VARIANTS } from "@/test/fixtures/peers/rabbit-variants.js";

// Exchanges, queues and bindings that Python's driver declared: ours declares the same with the same arguments.

interface Frame {
  d: string;
  m: string;
  a: Record<string, unknown>;
}

const FANOUT_ID = "00000000000000000000000000000002";
const REPLY_ID = "00000000000000000000000000000004";

const recorded: Readonly<Record<string, readonly Frame[]>> = { ...golden.variants, ...golden["variants-newest"] };

describe.each(Object.entries(RABBIT_VARIANTS))("the variant %s", (name, query) => {
  const topology = topologyOf({ query, controlExchange: `x_${name}` });
  const topic = `v_${name}`;

  it("declares and consumes as Python", () => {
    const server = topology.serverQueues(new Target({ topic, server: "server-1" }), FANOUT_ID);
    const reply = topology.replyQueue(REPLY_ID);
    const { queue } = topology.notificationRoute(new Target({ topic: `vn_${name}.info` }));
    const ours = [
      ...server.flatMap(declared),
      ...server.map(({ declaration }, index) => consumed(topology, declaration.queue, index + 1)),
      ...declared(reply),
      consumed(topology, reply.declaration.queue, 1),
      ...declared(queue),
    ];
    const methods = ["exchange.declare", "queue.declare", "queue.bind", "basic.consume"];
    const theirs = recorded[name]?.filter(({ m }) => methods.includes(m)).map(({ m, a }) => ({ m, a })) ?? [];
    expect(theirs.length).toBeGreaterThan(10);
    expect(distinct(ours)).toEqual(distinct(theirs));
  });

  it("publishes to exchanges that are declared as the server's", () => {
    const target = new Target({ topic, server: "server-1" });
    const [any, own, fanout] = topology.serverQueues(target, FANOUT_ID);
    const routes = [
      [any, topology.requestRoute(new Target({ topic }))],
      [own, topology.requestRoute(target)],
      [fanout, topology.requestRoute(new Target({ topic, fanout: true }))],
    ] as const;
    for (const [{ bindings }, { exchange, declaration }] of routes) {
      expect(bindings).toMatchObject([{ exchange, declaration }]);
    }
  });
});

describe("the route of a message", () => {
  const topology = topologyOf({});
  const published = ({ exchange, routingKey }: Route) => [exchange, routingKey];

  it.each([
    ["any server", { topic: "g1" }, ["openstack", "g1"]],
    ["one server", { topic: "g1", server: "server-1" }, ["openstack", "g1.server-1"]],
    ["all servers", { topic: "g1", fanout: true }, ["g1_fanout", ""]],
    ["all servers, whichever is named", { topic: "g1", server: "server-1", fanout: true }, ["g1_fanout", ""]],
    ["the exchange of the target", { topic: "g1", exchange: "nova" }, ["nova", "g1"]],
  ])("a request to %s", (_, target, expected) => {
    expect(published(topology.requestRoute(new Target(target)))).toEqual(expected);
  });

  it("a recorded request, notification or reply is published where Python publishes it", () => {
    const ours = [
      ...[{}, { fanout: true }, { server: "server-1" }].map((init) =>
        topology.requestRoute(new Target({ topic: "g1", ...init })),
      ),
      topology.notificationRoute(new Target({ topic: "g3v2.info" })),
      replyRoute("reply_00000000000000000000000000000004"),
    ].map(published);
    const { rpc_client, notifier_messagingv2, rpc_server } = golden.scenarios;
    const frames: readonly Frame[] = [...rpc_client, ...notifier_messagingv2, ...rpc_server] as Frame[];
    const theirs = frames
      .filter(({ d, m }) => d === ">" && m === "basic.publish")
      .map(({ a }) => [a["exchange"], a["routing_key"]]);
    for (const route of ours) expect(theirs).toContainEqual(route);
  });

  it("a notification waits in a queue that is declared before it is sent", () => {
    expect(declared(topology.notificationRoute(new Target({ topic: "g3v2.info" })).queue)).toEqual(
      declarationsOf("notifier_messagingv2"),
    );
  });

  it("a request declares its exchange, a reply nothing", () => {
    expect(topology.requestRoute(new Target({ topic: "t" }))).toMatchObject({
      declaration: { exchange: "openstack" },
      queue: undefined,
    });
    expect(replyRoute("reply_1")).toMatchObject({ exchange: "", declaration: undefined, queue: undefined });
  });

  it("the route of a target is made once", () => {
    const target = new Target({ topic: "t" });
    expect(topology.requestRoute(target)).toBe(topology.requestRoute(target));
    expect(topology.notificationRoute(target)).toBe(topology.notificationRoute(target));
    expect(topology.notificationRoute(target)).not.toBe(topology.requestRoute(target));
  });
});

describe("exchanges of the broker", () => {
  it.each(["amq.topic", ""])("the exchange %j is not declared", (controlExchange) => {
    const topology = topologyOf({ controlExchange });
    expect(topology.requestRoute(new Target({ topic: "t" }))).toMatchObject({
      exchange: controlExchange,
      declaration: undefined,
    });
  });

  it("queues are bound to amq.topic, and not to the default exchange", () => {
    const bindings = (controlExchange: string) =>
      topologyOf({ controlExchange }).listenerQueues([new Target({ topic: "n.info" })])[0]?.bindings;
    expect(bindings("amq.topic")).toEqual([{ exchange: "amq.topic", declaration: undefined, routingKey: "n.info" }]);
    expect(bindings("")).toEqual([]);
  });
});

describe("a notification listener", () => {
  const targets = (topic: string) =>
    ["info", "warn", "error"].map((priority) => new Target({ topic: `${topic}.${priority}` }));

  it("has a queue for each priority", () => {
    expect(topologyOf({}).listenerQueues(targets("g4")).flatMap(declared)).toEqual(declarationsOf("listener"));
  });

  it("of a pool has one queue, which is bound with each priority", () => {
    const queues = topologyOf({}).listenerQueues(targets("g6"), "archive");
    expect(queues).toHaveLength(1);
    expect(distinct(queues.flatMap(declared))).toEqual(distinct(declarationsOf("listener_pool")));
  });

  it("uses the exchange of each target", () => {
    const both = [new Target({ topic: "a.info", exchange: "nova" }), new Target({ topic: "a.info" })];
    const exchanges = (queues: readonly BoundQueue[]) =>
      queues.map(({ bindings }) => bindings.map(({ exchange }) => exchange));
    expect(exchanges(topologyOf({}).listenerQueues(both))).toEqual([["nova"], ["openstack"]]);
    expect(exchanges(topologyOf({}).listenerQueues(both, "p"))).toEqual([["nova", "openstack"]]);
  });
});

describe("arguments of queues", () => {
  const arguments_ = (query: Record<string, string>) => {
    const topology = topologyOf({ query });
    const [any] = topology.serverQueues(new Target({ topic: "t", server: "s" }), "1");
    return [any, topology.replyQueue("1")].map(({ declaration }) => Object.entries(declaration.arguments));
  };

  it("the memory limits are those of quorum queues", () => {
    const limits = { rabbit_quorum_max_memory_length: "7", rabbit_quroum_max_memory_bytes: "1000" };
    expect(arguments_({ ...limits, rabbit_quorum_queue: "true" })).toEqual([
      [
        ["x-queue-type", "quorum"],
        ["x-max-in-memory-length", 7],
        ["x-max-in-memory-bytes", 1000],
      ],
      [["x-expires", 1_800_000]],
    ]);
    expect(arguments_(limits)[0]).toEqual([]);
  });

  it("quorum queues for replies leave the queues of topics classic", () => {
    expect(arguments_({ rabbit_transient_quorum_queue: "true" })).toEqual([
      [],
      [
        ["x-queue-type", "quorum"],
        ["x-expires", 1_800_000],
      ],
    ]);
  });
});

describe("a name of more than 255 bytes of UTF-8", () => {
  const topology = topologyOf({});
  const longest = `${"é".repeat(127)}a`;

  it("255 bytes are accepted", () => {
    expect(topology.requestRoute(new Target({ topic: longest })).routingKey).toBe(longest);
    expect(topology.listenerQueues([new Target({ topic: longest })], longest)).toHaveLength(1);
  });

  it.each([
    ["the topic", { topic: `${longest}b` }, "The routing key", 256],
    ["topic and server", { topic: longest, server: "s" }, "The routing key", 257],
    ["the exchange", { topic: "t", exchange: `${longest}b` }, "The exchange", 256],
    ["the topic of a fanout", { topic: longest, fanout: true }, "The exchange", 262],
  ])("%s is refused", (_, init, kind, size) => {
    const target = new Target(init);
    const route = () => topology.requestRoute(target);
    expect(route).toThrow(InvalidTarget);
    expect(route).toThrow(`must have at most 255 bytes of UTF-8, not ${size}`);
    expect(route).toThrow(kind);
  });

  it("a queue of a server or a listener is refused", () => {
    const topic = "t".repeat(220);
    expect(() => topology.serverQueues(new Target({ topic, server: "s" }), FANOUT_ID)).toThrow(
      `The queue ${topic}_fanout_${FANOUT_ID} must have`,
    );
    expect(() => topology.listenerQueues([new Target({ topic: `${longest}b` })])).toThrow(InvalidTarget);
    const pool = () => topology.listenerQueues([new Target({ topic: "t" })], `${longest}b`);
    expect(pool).toThrow(ConfigurationError);
    expect(pool).toThrow("pool: must have at most 255 bytes of UTF-8, not 256");
  });
});

describe("a name with a line break", () => {
  const topology = topologyOf({});

  it.each(["a\nb", "a\rb"])("%j is refused as a topic, an exchange, a server and a pool", (name) => {
    const text = "must not contain line breaks";
    expect(() => topology.requestRoute(new Target({ topic: name }))).toThrow(`The routing key ${name} ${text}`);
    expect(() => topology.requestRoute(new Target({ topic: "t", exchange: name }))).toThrow(InvalidTarget);
    expect(() => topology.serverQueues(new Target({ topic: "t", server: name }), FANOUT_ID)).toThrow(InvalidTarget);
    expect(() => topology.listenerQueues([new Target({ topic: "t" })], name)).toThrow(`pool: ${text}`);
  });
});

function topologyOf({ query = {}, controlExchange = "openstack" }): Topology {
  return new Topology({ options: resolveRabbitOptions({ query }), controlExchange });
}

/** The methods that declare a queue, as in the recording. */
function declared(bound: BoundQueue | undefined): object[] {
  if (bound === undefined) return [];
  const { declaration, bindings } = bound;
  const { queue, durable, autoDelete } = declaration;
  const exchanges = bindings.map((binding) => {
    const { exchange, declaration: { type, durable, autoDelete } = {} } = binding;
    const flags = { passive: false, durable, auto_delete: autoDelete, internal: false };
    return { m: "exchange.declare", a: { exchange, type, ...flags, no_wait: false, arguments: {} } };
  });
  const flags = { passive: false, durable, exclusive: false, auto_delete: autoDelete, no_wait: false };
  const binds = bindings.map(({ exchange, routingKey }) => {
    return { m: "queue.bind", a: { queue, exchange, routing_key: routingKey, no_wait: false, arguments: {} } };
  });
  return [...exchanges, { m: "queue.declare", a: { queue, ...flags, arguments: declaration.arguments } }, ...binds];
}

function consumed(topology: Topology, queue: string, tag: number): object {
  const flags = { no_local: false, no_ack: false, exclusive: false, no_wait: false };
  return {
    m: "basic.consume",
    a: { queue, consumer_tag: String(tag), ...flags, arguments: topology.consumerArguments },
  };
}

/** Declarations of queues in a recorded scenario, without those of a publisher's exchange after them. */
function declarationsOf(scenario: keyof typeof golden.scenarios): object[] {
  const methods = ["exchange.declare", "queue.declare", "queue.bind"];
  const frames = golden.scenarios[scenario].filter(({ d, m }) => d === ">" && methods.includes(m));
  const last = frames.findLastIndex(({ m }) => m === "queue.bind");
  return frames.slice(0, last + 1).map(({ m, a }) => ({ m, a }));
}

/** Python declares again what another consumer of the channel has declared. */
function distinct(methods: readonly object[]): object[] {
  return [...new Map(methods.map((method) => [JSON.stringify(method), method])).values()];
}
