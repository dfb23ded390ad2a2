import type { Requirements } from "./requirement.js";

/** Drivers, URLs, connections and the next connections; who may connect, and by which encryption. */
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
  "options:url": {
    behaviour: "An option in the URL's query goes before the one in code, by the option's type.",
    source: "_drivers/common.py:481-550",
  },
  "options:file": {
    behaviour: "An oslo configuration file sets the options of its groups, as a service has it.",
    source: "_drivers/amqp1_driver/opts.py:18-270",
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

  "auth:good": {
    behaviour: "Who has the right name and password is let in.",
    source: "_drivers/amqp1_driver/controller.py:1022-1076",
    upstream: ["TestAuthentication.test_authentication_ok", "TestCyrusAuthentication.test_authentication_ok"],
  },
  "auth:bad": {
    behaviour: "A wrong password is refused, again and again, and what waits fails naming amqp:unauthorized-access.",
    source: "_drivers/amqp1_driver/controller.py:1219-1230",
    upstream: ["TestAuthentication.test_authentication_failure", "TestCyrusAuthentication.test_authentication_failure"],
  },
  "auth:mechanisms": {
    behaviour: "There is no connection when no mechanism of ours is one of the peer's, and both are named.",
    source: "_drivers/amqp1_driver/controller.py:1022-1076",
    upstream: ["TestCyrusAuthentication.test_authentication_bad_mechs"],
  },
  "auth:default-realm": {
    behaviour: "A user name without a realm gets sasl_default_realm.",
    source: "_drivers/amqp1_driver/controller.py:818-852",
    upstream: ["TestCyrusAuthentication.test_authentication_default_realm"],
  },
  "auth:own-realm": {
    behaviour: "A user name with a realm keeps it, whatever sasl_default_realm is.",
    source: "_drivers/amqp1_driver/controller.py:818-852",
    upstream: ["TestCyrusAuthentication.test_authentication_ignore_default_realm"],
  },

  "tls:server": {
    behaviour: "A server whose certificate is of the trusted authority and for its name is connected to.",
    source: "_drivers/amqp1_driver/controller.py:1022-1076",
    upstream: ["TestSSL.test_server_ok"],
  },
  "tls:url": {
    behaviour: "TLS can be asked for in the URL's query.",
    source: "_drivers/common.py:481-550",
    upstream: ["TestSSL.test_server_ok_with_ssl_set_in_transport_url"],
  },
  "tls:vhost:ignored": {
    behaviour: "The certificate is for the host's name, and not for the virtual host's, unless told otherwise.",
    source: "_drivers/amqp1_driver/controller.py:1022-1076",
    upstream: ["TestSSL.test_server_ignore_vhost_ok"],
  },
  "tls:vhost:verified": {
    behaviour: "With ssl_verify_vhost the certificate is for the virtual host.",
    source: "_drivers/amqp1_driver/controller.py:1022-1076",
    upstream: ["TestSSL.test_server_check_vhost_ok"],
  },
  "tls:server:bad": {
    behaviour: "A server whose certificate is for another name is not connected to, and what waits fails saying so.",
    source: "_drivers/amqp1_driver/controller.py:1022-1076",
    upstream: ["TestSSL.test_bad_server_fail"],
  },
  "tls:client": {
    behaviour: "A server that asks for a certificate gets the client's.",
    source: "_drivers/amqp1_driver/controller.py:1022-1076",
    upstream: ["TestSSL.test_client_auth_ok"],
  },
  "tls:failover": {
    behaviour: "Failover works over TLS as it does without.",
    source: "_drivers/amqp1_driver/controller.py:818-852",
  },
} as const satisfies Requirements;
