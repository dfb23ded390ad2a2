import type { Requirements } from "./requirement.js";

/** Who may connect, and by which encryption. */
export const SECURITY = {
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
  "auth:preference": {
    behaviour: "The mechanism is the first of sasl_mechanisms that the peer has too, and without a list the strongest.",
    source: "ours",
  },
  "auth:anonymous": {
    behaviour: "Who has no credentials comes in by ANONYMOUS, where the peer lets him.",
    source: "_drivers/amqp1_driver/controller.py:1022-1076",
  },
  "auth:scram": {
    behaviour: "SCRAM-SHA-1, SCRAM-SHA-256 and SCRAM-SHA-512 are spoken as in their RFCs.",
    source: "ours",
  },
  "auth:scram:iterations": {
    behaviour: "SCRAM is not done with fewer than 4,096 iterations, or more than 1,000,000.",
    source: "ours",
  },
  "auth:scram:server-signature": {
    behaviour: "A server that has not shown that it knows the password is not connected to.",
    source: "ours",
  },
  "auth:bearer": {
    behaviour: "A token goes by OAUTHBEARER, or by XOAUTH2.",
    source: "ours",
  },
  "auth:external": {
    behaviour: "Who has a certificate comes in by EXTERNAL, where that is asked for.",
    source: "ours",
  },
  "auth:function": {
    behaviour: "Credentials can be a function, which is called before each attempt to connect.",
    source: "ours",
  },
  "auth:secrets": {
    behaviour: "Passwords and tokens are shown by no frame, log, status or error.",
    source: "ours",
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
  "tls:private-ca": {
    behaviour: "By amqps and by amqp+wss a server is trusted whose certificate a private authority has signed.",
    source: "ours",
  },
  "tls:key-password": {
    behaviour: "The key of the client's certificate may be encrypted, with ssl_key_password.",
    source: "_drivers/amqp1_driver/controller.py:1022-1076",
  },
  "tls:server-name": {
    behaviour: "The server is told which name is asked for (SNI).",
    source: "ours",
  },
} as const satisfies Requirements;
