import type { Requirements } from "./requirement.js";

/** What is beside the driver: recipes, check, the embedded intermediary. */
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
    behaviour: "A recipe for addresses that the product cannot do is refused, saying so.",
    source: "ours",
  },
  "recipe:rabbitmq": {
    behaviour: "The recipe of rabbitmq has users, virtual host, permits and the relay for WebSocket.",
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
    behaviour: "Nothing is wrong with an intermediary that has its recipe, and check says what it found there.",
    source: "ours",
  },
  "check:lacking": {
    behaviour: "Where configuration is missing check names it, and proves what it says on a scratch topic.",
    source: "ours",
  },
  "check:credit": {
    behaviour: "For a target check tells the credit that there is.",
    source: "ours",
  },
  "check:versions": {
    behaviour: "A qpid-dispatch before 0.8.0, and a qpidd before 0.34, are warned of.",
    source: "ours",
  },
  "check:text": {
    behaviour: "What check finds is text for people, and JSON when that is asked for.",
    source: "ours",
  },
  "intermediary:tls": {
    behaviour: "The embedded intermediary speaks TLS, and asks for certificates of clients when it is told to.",
    source: "ours",
  },
  "intermediary:sasl": {
    behaviour: "The embedded intermediary offers the mechanisms that it is told to, SCRAM and OAUTHBEARER among them.",
    source: "ours",
  },
  "intermediary:virtual-hosts": {
    behaviour: "The embedded intermediary has virtual hosts.",
    source: "ours",
  },
  "intermediary:foreign": {
    behaviour: "The suites run against the intermediaries of a variable, and skip by name what one cannot do.",
    source: "ours",
  },
} as const satisfies Requirements;
