import { ConfigurationError } from "../driver/exceptions.js";
import type { AddressClass } from "../intermediary/addresses.js";
import { addressPlan } from "./address-plan.js";
import { type Recipe, WS_PORT } from "./recipe.js";

/**
 * The initial configuration of Apache Qpid Broker-J, which is JSON: notes are its descriptions. There an address with a
 * slash is an exchange and a binding key, so that it knows legacy addresses alone.
 */
export const brokerJ: Recipe = ({ options, host, port, wsPort = WS_PORT, anonymous }) => {
  if (options.addressingMode === "routable") {
    throw new ConfigurationError(
      "addressing_mode",
      "Broker-J cannot do routable addresses: it takes what stands before a slash for the name of an exchange",
    );
  }
  const plan = addressPlan(options, ["legacy"]);
  const listener = { authenticationProvider: "users", bindingAddress: host, protocols: ["AMQP_1_0"] };
  const configuration = {
    name: "oslo-messaging",
    modelVersion: "9.1",
    description: NOTE,
    authenticationproviders: [{ name: "users", ...(anonymous ? EVERYBODY : USERS) }],
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
  "oslo.messaging over AMQP 1.0, for Apache Qpid Broker-J 9: bin/qpid-server -icp THIS-FILE, at its first start. " +
  "Python's services need addressing_mode = legacy here. The patterns of the virtual host follow the driver's options for " +
  "addresses. Listeners get messages for all servers from the first one on that is sent.";

const EVERYBODY = {
  type: "Anonymous",
  description: "Everybody may connect: only for a host that nobody else reaches.",
};

const USERS = {
  type: "PlainPasswordFile",
  path: "$" + "{qpid.work_dir}/users",
  description: "One NAME:PASSWORD a line. PLAIN is offered on TLS only: transports SSL and WSS, with a keyStore.",
};

const ALIASES = [
  { name: "nameAlias", type: "nameAlias" },
  { name: "defaultAlias", type: "defaultAlias" },
  { name: "hostnameAlias", type: "hostnameAlias" },
];

/** A queue is made by whoever comes first, a listener or a sender; an exchange can be made by senders alone. */
function nodePolicy({ prefix, separator, distribution }: AddressClass): object {
  const exchange = distribution === "multicast";
  return {
    pattern: `${literally(prefix + separator)}.*`,
    nodeType: exchange ? "Exchange" : "Queue",
    createdOnPublish: true,
    createdOnConsume: !exchange,
    attributes: exchange ? { type: "fanout" } : {},
  };
}

/** As a regular expression that matches this text alone. */
function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
