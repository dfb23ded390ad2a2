import type { Requirements } from "./requirement.js";

/** Recipes, check and the embedded intermediary. */
export const TOOLS = {
  "recipe:products": {
    behaviour:
      "There is a recipe for qdrouterd, skrouterd, qpidd, artemis, broker-j and rabbitmq, by WebSocket too where it can.",
    source: "ours",
  },
  "recipe:options": {
    behaviour: "A recipe follows the options that shape addresses, legacy, routable or with prefixes of their own.",
    source: "ours",
  },
  "recipe:refused": {
    behaviour: "A recipe for addresses that the product does not support is refused with the reason.",
    source: "ours",
  },
  "recipe:rabbitmq": {
    behaviour:
      "A RabbitMQ with the recipe of rabbitmq, its virtual host, users, permissions and policy serves the rabbit driver.",
    source: "ours",
  },
  "recipe:artemis": {
    behaviour: "Artemis with its recipe serves Python's driver and ours.",
    source: "ours",
  },
  "recipe:broker-j": {
    behaviour: "Broker-J with its recipe serves Python's driver and ours.",
    source: "ours",
  },
  "check:good": {
    behaviour: "Check finds nothing wrong with an intermediary that has its recipe, and reports its findings.",
    source: "ours",
  },
  "check:lacking": {
    behaviour: "Check names missing configuration, and proves it on a scratch topic.",
    source: "ours",
  },
  "check:credit": {
    behaviour: "Check reports the credit of a target.",
    source: "ours",
  },
  "check:versions": {
    behaviour: "Check warns of a qpid-dispatch before 0.8.0, a qpidd before 0.34 and a RabbitMQ before 3.3.",
    source: "ours",
  },
  "check:text": {
    behaviour: "Check prints text, or JSON with --json.",
    source: "ours",
  },
  "intermediary:tls": {
    behaviour: "The embedded intermediary speaks TLS, and can require client certificates.",
    source: "ours",
  },
  "intermediary:sasl": {
    behaviour: "The embedded intermediary offers the configured mechanisms, SCRAM and OAUTHBEARER among them.",
    source: "ours",
  },
  "intermediary:virtual-hosts": {
    behaviour: "The embedded intermediary has virtual hosts.",
    source: "ours",
  },
  "intermediary:foreign": {
    behaviour:
      "The suites run against the intermediaries of an environment variable, and skip tests of missing abilities with the reason.",
    source: "ours",
  },
} as const satisfies Requirements;
