import { ConfigurationError } from "../driver/exceptions.js";
import type { AddressClass } from "../intermediary/addresses.js";
import { addressPlan } from "./address-plan.js";
import { ANONYMOUS_NOTE, type Recipe, WS_PORT } from "./recipe.js";

/**
 * The initial configuration of Apache Qpid Broker-J. It is JSON, so notes are in its descriptions. Broker-J takes an
 * address with a slash for an exchange and a binding key, so it can have only legacy addresses.
 */
export const brokerJ: Recipe = ({ options, host, port, wsPort = WS_PORT, anonymous }) => {
  if (options.addressingMode === "routable") {
    throw new ConfigurationError(
      "addressing_mode",
      "Broker-J does not support routable addresses: it takes the part before a slash for the name of an exchange",
    );
  }
  const plan = addressPlan(options, ["legacy"]);
  const listener = { authenticationProvider: "users", bindingAddress: host, protocols: ["AMQP_1_0"] };
  const configuration = {
    name: "oslo-messaging",
    modelVersion: "9.1",
    description: NOTE,
    authenticationproviders: [{ name: "users", ...(anonymous ? ANONYMOUS : USERS) }],
    ports: [
      { name: "AMQP", ...listener, port, transports: ["TCP"], virtualhostaliases: ALIASES },
      { name: "WebSocket", ...listener, port: wsPort, transports: ["WS"], virtualhostaliases: ALIASES },
    ],
    virtualhostnodes: [
      {
        name: "default",
        type: "JSON",
        defaultVirtualHostNode: "true",
        virtualHostInitialConfiguration: JSON.stringify({
          type: "DERBY",
          nodeAutoCreationPolicies: plan.map(nodePolicy),
        }),
      },
    ],
  };
  return `${JSON.stringify(configuration, undefined, 2)}\n`;
};

const NOTE =
  "oslo.messaging over AMQP 1.0, for Apache Qpid Broker-J 9. Pass this file at the first start: " +
  "bin/qpid-server -icp THIS-FILE. Python's services need addressing_mode = legacy here. The patterns of the virtual " +
  "host follow the driver's address options. Only a sender can create the exchange of a message to all servers: a server " +
  "of this package attaches one first, one of Python cannot attach before the first such message is sent.";

const ANONYMOUS = { type: "Anonymous", description: ANONYMOUS_NOTE };

const USERS = {
  type: "PlainPasswordFile",
  path: "$" + "{qpid.work_dir}/users",
  description: "One NAME:PASSWORD per line. PLAIN is offered only with TLS: transports SSL and WSS, with a keyStore.",
};

const ALIASES = [
  { name: "nameAlias", type: "nameAlias" },
  { name: "defaultAlias", type: "defaultAlias" },
  { name: "hostnameAlias", type: "hostnameAlias" },
];

/** Listeners and senders can create a queue; only senders can create an exchange. */
function nodePolicy({ prefix, separator, distribution }: AddressClass): object {
  const exchange = distribution === "multicast";
  return {
    pattern: `${escapeRegExp(prefix + separator)}.*`,
    nodeType: exchange ? "Exchange" : "Queue",
    createdOnPublish: true,
    createdOnConsume: !exchange,
    attributes: exchange ? { type: "fanout" } : {},
  };
}

/** A regular expression that matches only this text. */
function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
