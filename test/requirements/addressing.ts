import type { Requirements } from "./requirement.js";

/** Addresses of targets on the message bus, with and without virtual hosts. */
export const ADDRESSING = {
  "addressing:routable": {
    behaviour:
      "Routable addresses carry service, delivery, exchange and topic, and each delivery reaches its receivers.",
    source: "_drivers/amqp1_driver/addressing.py:165-260",
    upstream: ["TestAddressing.test_routable_address"],
  },
  "addressing:legacy": {
    behaviour: "Legacy addresses carry prefix, exchange and topic, the same for RPC and notifications.",
    source: "_drivers/amqp1_driver/addressing.py:110-162",
    upstream: ["TestAddressing.test_legacy_address"],
  },
  "addressing:options": {
    behaviour: "Options set the prefixes, words and default exchanges of addresses.",
    source: "_drivers/amqp1_driver/addressing.py:263-294",
    upstream: ["TestAddressing.test_address_options"],
  },
  "addressing:dynamic": {
    behaviour: "The dynamic mode chooses by the product of the peer: legacy for qpid-cpp, routable for a router.",
    source: "_drivers/amqp1_driver/addressing.py:263-294",
    upstream: ["TestAddressing.test_dynamic_addressing"],
  },
  "addressing:notification-exchange": {
    behaviour: "A notification listener listens in the default exchange, whatever exchange its target names.",
    source: "_drivers/impl_amqp1.py:411-432",
  },
  "vhost:routable": {
    behaviour: "With routable addresses a message stays in its virtual host.",
    source: "_drivers/amqp1_driver/controller.py:1168-1193",
    upstream: ["TestVHost.test_vhost_routing"],
  },
  "vhost:legacy": {
    behaviour: "With legacy addresses a message stays in its virtual host.",
    source: "_drivers/amqp1_driver/controller.py:1168-1193",
    upstream: ["TestVHost.test_vhost_legacy"],
  },
  "vhost:hostname": {
    behaviour: "Without pseudo_vhost the Open's hostname carries the virtual host, and no address does.",
    source: "_drivers/amqp1_driver/controller.py:1022-1076",
  },
} as const satisfies Requirements;
