import type { Requirements } from "./requirement.js";

/** Authentication and encryption. */
export const SECURITY = {
  "auth:good": {
    behaviour: "A user with the right name and password is authenticated.",
    source: "_drivers/amqp1_driver/controller.py:1022-1076",
    upstream: ["TestAuthentication.test_authentication_ok", "TestCyrusAuthentication.test_authentication_ok"],
  },
  "auth:bad": {
    behaviour: "A wrong password is refused at each attempt, and waiting calls fail with amqp:unauthorized-access.",
    source: "_drivers/amqp1_driver/controller.py:1219-1230",
    upstream: ["TestAuthentication.test_authentication_failure", "TestCyrusAuthentication.test_authentication_failure"],
  },
  "auth:mechanisms": {
    behaviour: "Connecting fails when both sides have no mechanism in common; the error names the mechanisms of both.",
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
  "auth:preference": {
    behaviour: "The mechanism is the first of sasl_mechanisms that the peer offers, by default the strongest.",
    source: "ours",
  },
  "auth:anonymous": {
    behaviour: "A client without credentials uses ANONYMOUS if the peer offers it.",
    source: "_drivers/amqp1_driver/controller.py:1022-1076",
  },
  "auth:scram": {
    behaviour: "SCRAM-SHA-1, SCRAM-SHA-256 and SCRAM-SHA-512 follow their RFCs.",
    source: "ours",
  },
  "auth:scram:iterations": {
    behaviour: "SCRAM is refused with fewer than 4,096 iterations or more than 1,000,000.",
    source: "ours",
  },
  "auth:scram:server-signature": {
    behaviour: "Connecting fails when the server does not prove that it knows the password.",
    source: "ours",
  },
  "auth:bearer": {
    behaviour: "A token is sent by OAUTHBEARER or XOAUTH2.",
    source: "ours",
  },
  "auth:external": {
    behaviour: "A client with a certificate is authenticated by EXTERNAL if it chooses that.",
    source: "ours",
  },
  "auth:function": {
    behaviour: "Credentials can be a function, which is called before each attempt to connect.",
    source: "ours",
  },
  "auth:secrets": {
    behaviour: "No frame event, log line, status or error shows a password or token.",
    source: "ours",
  },

  "tls:server": {
    behaviour: "A server is trusted when its certificate is for its name and signed by the trusted authority.",
    source: "_drivers/amqp1_driver/controller.py:1022-1076",
    upstream: ["TestSSL.test_server_ok"],
  },
  "tls:url": {
    behaviour: "The URL's query can enable TLS.",
    source: "_drivers/common.py:481-550",
    upstream: ["TestSSL.test_server_ok_with_ssl_set_in_transport_url"],
  },
  "tls:vhost:ignored": {
    behaviour: "The certificate is checked against the host name, not the virtual host, by default.",
    source: "_drivers/amqp1_driver/controller.py:1022-1076",
    upstream: ["TestSSL.test_server_ignore_vhost_ok"],
  },
  "tls:vhost:verified": {
    behaviour: "With ssl_verify_vhost the certificate is checked against the virtual host.",
    source: "_drivers/amqp1_driver/controller.py:1022-1076",
    upstream: ["TestSSL.test_server_check_vhost_ok"],
  },
  "tls:server:bad": {
    behaviour: "Connecting to a server whose certificate is for another name fails, and waiting calls name the reason.",
    source: "_drivers/amqp1_driver/controller.py:1022-1076",
    upstream: ["TestSSL.test_bad_server_fail"],
  },
  "tls:client": {
    behaviour: "A server that requests a certificate gets the client's.",
    source: "_drivers/amqp1_driver/controller.py:1022-1076",
    upstream: ["TestSSL.test_client_auth_ok"],
  },
  "tls:failover": {
    behaviour: "Failover works over TLS as without it.",
    source: "_drivers/amqp1_driver/controller.py:818-852",
  },
  "tls:private-ca": {
    behaviour: "By amqps and amqp+wss a server is trusted whose certificate is signed by a private authority.",
    source: "ours",
  },
  "tls:key-password": {
    behaviour: "The key of the client's certificate may be encrypted, with ssl_key_password.",
    source: "_drivers/amqp1_driver/controller.py:1022-1076",
  },
  "tls:server-name": {
    behaviour: "The server gets the requested name (SNI).",
    source: "ours",
  },
} as const satisfies Requirements;
