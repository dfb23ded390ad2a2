import { authority } from "../core/authority.js";
import type { AddressClass } from "../intermediary/addresses.js";
import { addressPlan } from "./address-plan.js";
import type { Recipe } from "./recipe.js";

/** The role that `artemis create` gives its user. */
export const ARTEMIS_ROLE = "amq";

/**
 * A whole broker.xml for ActiveMQ Artemis. Addresses get their routing type by name, as the unmodified Python driver asks
 * for none; words are cut at one delimiter, so that one broker can know legacy or routable addresses, not both.
 */
export const artemis: Recipe = ({ options, host, port, wsPort = port, anonymous }) => {
  const plan = addressPlan(options, ["routable"]);
  const delimiter = plan[0]?.separator ?? "/";
  const acceptors = [acceptor("amqp", host, port)];
  if (wsPort !== port) acceptors.push(acceptor("amqp-ws", host, wsPort));
  return `<?xml version="1.0" encoding="UTF-8"?>
<!-- etc/broker.xml: oslo.messaging over AMQP 1.0, for ActiveMQ Artemis 2. -->
<configuration xmlns="urn:activemq">
  <core xmlns="urn:activemq:core">
    <name>oslo-messaging</name>
    <persistence-enabled>true</persistence-enabled>
    <max-disk-usage>90</max-disk-usage>
    <!-- ${anonymous ? EVERYBODY : USERS} -->
    <security-enabled>${!anonymous}</security-enabled>
    <acceptors>
      <!-- AMQP over TCP and, on the same port, over WebSocket, on any path. -->
${acceptors.join("\n")}
    </acceptors>
    <wildcard-addresses>
      <!-- Words are cut at "/" for routable addresses, at "." for legacy ones: a broker can know only one of them. -->
      <!-- The driver takes routable ones here unless addressing_mode is legacy. -->
      <routing-enabled>true</routing-enabled>
      <delimiter>${delimiter}</delimiter>
      <any-words>#</any-words>
      <single-word>*</single-word>
    </wildcard-addresses>
    <security-settings>
      <security-setting match="#">
${PERMISSIONS.map((type) => `        <permission type="${type}" roles="${ARTEMIS_ROLE}"/>`).join("\n")}
      </security-setting>
    </security-settings>
    <address-settings>
      <!-- They follow the driver's options for addresses: whoever changes those changes these too. -->
      <!-- no-expiry: the Python driver gives its calls an absolute-expiry-time of 1970; without it each one is lost. -->
${plan.map(addressSetting).join("\n")}
    </address-settings>
  </core>
</configuration>
`;
};

const EVERYBODY = "Everybody may connect: only for a host that nobody else reaches.";
const USERS = `Who may connect: users of the role ${ARTEMIS_ROLE}, from etc/artemis-users.properties (bin/artemis user add).`;

const PERMISSIONS = [
  "createAddress",
  "deleteAddress",
  "createDurableQueue",
  "deleteDurableQueue",
  "createNonDurableQueue",
  "deleteNonDurableQueue",
  "consume",
  "browse",
  "send",
];

function acceptor(name: string, host: string, port: number): string {
  // SCRAM would need a login module and users of its own, and clients prefer it to what works.
  const mechanisms = "saslMechanisms=PLAIN,ANONYMOUS";
  return `      <acceptor name="${name}">tcp://${authority({ hostname: host, port })}?protocols=AMQP;${mechanisms}</acceptor>`;
}

function addressSetting({ prefix, separator, distribution }: AddressClass): string {
  const type = distribution === "multicast" ? "MULTICAST" : "ANYCAST";
  return `      <address-setting match="${prefix}${separator}#">
        <no-expiry>true</no-expiry>
        <default-queue-routing-type>${type}</default-queue-routing-type>
        <default-address-routing-type>${type}</default-address-routing-type>
      </address-setting>`;
}
