import { authority } from "../core/authority.js";
import type { AddressClass } from "../intermediary/addresses.js";
import { addressPlan } from "./address-plan.js";
import { ANONYMOUS_NOTE, type Recipe } from "./recipe.js";

/** The role that `artemis create` gives its user. */
export const ARTEMIS_ROLE = "amq";

/**
 * A complete broker.xml for ActiveMQ Artemis. Addresses get their routing type by their names, because the unmodified
 * Python driver requests none. Artemis splits words at a single delimiter: a broker can have legacy or routable
 * addresses, not both.
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
    <!-- ${anonymous ? ANONYMOUS_NOTE : USERS} -->
    <security-enabled>${!anonymous}</security-enabled>
    <acceptors>
      <!-- AMQP over TCP and, on the same port, over WebSocket with any path. -->
${acceptors.join("\n")}
    </acceptors>
    <wildcard-addresses>
      <!-- The delimiter is "/" for routable addresses and "." for legacy ones: a broker can have only one of them. -->
      <!-- The driver uses routable addresses here unless addressing_mode is legacy. -->
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
      <!-- These settings follow the driver's address options. If you change the options, change the settings too. -->
      <!-- The Python driver gives its calls an absolute-expiry-time in 1970: without no-expiry every call is lost. -->
${plan.map(addressSetting).join("\n")}
    </address-settings>
  </core>
</configuration>
`;
};

const USERS = `Clients are users of the role ${ARTEMIS_ROLE} in etc/artemis-users.properties (bin/artemis user add).`;

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
  // SCRAM is not offered: clients would prefer it, but it needs its own login module and users.
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
