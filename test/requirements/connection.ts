import type { Requirements } from "./requirement.js";

/** Drivers, URLs, connections and failover. */
export const CONNECTION = {
  "driver:load": {
    behaviour: "A URL with the scheme amqp is served by the AMQP 1.0 driver, an unknown scheme is refused.",
    source: "transport.py:193-213",
    upstream: ["TestProtonDriverLoad.test_driver_load"],
  },
  "driver:never-connected": {
    behaviour: "A transport that was never connected closes cleanly.",
    source: "_drivers/amqp1_driver/controller.py:954-968",
    upstream: ["TestAmqpSend.test_driver_unconnected_cleanup"],
  },
  "url:grammar": {
    behaviour: "Transport URLs are read and written as oslo reads and writes them.",
    source: "transport.py:421-540",
  },

  "connect:round": {
    behaviour: "connect tries each host once, and rejects with the last error when all have failed.",
    source: "ours",
  },
  "connect:idle": {
    behaviour: "A transport that was never connected tries only while something waits, and keeps no program alive.",
    source: "ours",
  },
  "connect:timeout": {
    behaviour: "connect, probe and start end after timeoutMs, with the last failure as the cause.",
    source: "ours",
  },
  "connect:log": {
    behaviour:
      "Failed attempts are warnings with cause and pause, at most one a minute; the connection after them is told.",
    source: "ours",
  },

  "failover:crash": {
    behaviour: "When the message bus crashes, the next host takes over, of whatever kind it is.",
    source: "_drivers/amqp1_driver/controller.py:818-852",
    upstream: ["TestFailover.test_broker_crash"],
  },
  "failover:shutdown": {
    behaviour: "When the message bus closes the connection, the next host takes over.",
    source: "_drivers/amqp1_driver/controller.py:1205-1217",
    upstream: ["TestFailover.test_broker_shutdown"],
  },
  "failover:heartbeat": {
    behaviour: "When the message bus falls silent for idle_timeout, the next host takes over.",
    source: "_drivers/amqp1_driver/controller.py:1022-1076",
    upstream: ["TestFailover.test_heartbeat_failover"],
  },
  "failover:listeners": {
    behaviour: "All listeners of a topic listen again after a failover, and a fanout reaches each of them.",
    source: "_drivers/amqp1_driver/controller.py:1168-1193",
    upstream: ["TestFailover.test_listener_failover"],
  },
  "failover:order": {
    behaviour: "The first host is a random one, the others follow in their order, round and round.",
    source: "_drivers/amqp1_driver/controller.py:818-852",
  },
  "failover:back-off": {
    behaviour: "Between attempts the pause grows from connection_retry_interval by its back-off up to its maximum.",
    source: "_drivers/amqp1_driver/controller.py:1233-1257",
  },
  "failover:stable": {
    behaviour: "The pause is short again only after a connection that lasted as long as the pause, and at least 5 s.",
    source: "ours",
  },
  "failover:jitter": {
    behaviour: "Half of each pause is chosen at random, by a source that the caller can give.",
    source: "ours",
  },
  "failover:wake": {
    behaviour:
      "When the network or the page comes back, a retry pause ends and an open connection is checked, at once.",
    source: "ours",
  },

  "connection:idle-timeout": {
    behaviour:
      "Each side gets the heartbeats that it requests, and a connection that is silent beyond idle_timeout is lost.",
    source: "_drivers/amqp1_driver/controller.py:1022-1076",
  },
  "connection:throttled": {
    behaviour: "Heartbeats go on in a background tab, whose timers are throttled.",
    source: "ours",
  },
  "connection:container-name": {
    behaviour: "The container has the name of the option, or a generated one that names its process.",
    source: "_drivers/amqp1_driver/eventloop.py:271-289",
  },
  "connection:trace": {
    behaviour: "With trace the frames are logged, without secrets and message bodies.",
    source: "_drivers/amqp1_driver/opts.py:18-270",
  },
} as const satisfies Requirements;
