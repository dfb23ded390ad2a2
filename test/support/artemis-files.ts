import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

/** The Python driver's two forms of addresses. Wildcards are cut at `.` or at `/`, so that one broker can know only one of them. */
export type ArtemisAddressing = "legacy" | "routable";

export interface ArtemisLogin {
  username: string;
  password: string;
}

export interface ArtemisInit {
  /** The form of addresses that get their routing type by name. */
  addressing: ArtemisAddressing;
  /** The only one who may log in, by PLAIN or SCRAM. Absent: everybody, as anybody. */
  login?: ArtemisLogin | undefined;
}

const JAAS = "org.apache.activemq.artemis.spi.core.security.jaas";
const SASL_MECHANISMS = ["PLAIN", "ANONYMOUS", "SCRAM-SHA-256", "SCRAM-SHA-512"];

/**
 * The configuration of an Artemis in which an unmodified Python driver works: addresses get their routing type by name,
 * and expiry is off, as the Python driver sends times of 1970. In memory only, no web console, any free port.
 */
export function artemisFiles(folder: string, init: ArtemisInit): Record<string, string> {
  return {
    "bootstrap.xml": `<broker xmlns="http://activemq.apache.org/schema">
  <jaas-security domain="activemq"/>
  <server configuration="file:${folder}/etc/broker.xml"/>
</broker>
`,
    "management.xml": `<management-context xmlns="http://activemq.apache.org/schema"/>
`,
    "login.config": `activemq {
  ${JAAS}.SCRAMLoginModule sufficient;
  ${JAAS}.PropertiesLoginModule required
    org.apache.activemq.jaas.properties.user="users.properties"
    org.apache.activemq.jaas.properties.role="roles.properties";
};
amqp-sasl-scram {
  ${JAAS}.SCRAMPropertiesLoginModule required
    org.apache.activemq.jaas.properties.user="users.properties"
    org.apache.activemq.jaas.properties.role="roles.properties";
};
`,
    "users.properties": init.login === undefined ? "" : users(init.login),
    "roles.properties": init.login === undefined ? "" : `tests = ${init.login.username}\n`,
    "log4j2.properties": `rootLogger.level = WARN
rootLogger.appenderRef.console.ref = console
logger.server.name = org.apache.activemq.artemis.core.server
logger.server.level = INFO
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %level %msg%n
`,
    "broker.xml": brokerXml(init),
  };
}

const DELIMITERS: Record<ArtemisAddressing, string> = { legacy: ".", routable: "/" };

const ROUTING_TYPES: Record<ArtemisAddressing, Record<string, "ANYCAST" | "MULTICAST">> = {
  legacy: { "unicast.#": "ANYCAST", "exclusive.#": "ANYCAST", "broadcast.#": "MULTICAST" },
  routable: {
    "openstack.org/om/rpc/anycast/#": "ANYCAST",
    "openstack.org/om/rpc/unicast/#": "ANYCAST",
    "openstack.org/om/rpc/multicast/#": "MULTICAST",
    "openstack.org/om/notify/anycast/#": "ANYCAST",
    "openstack.org/om/notify/unicast/#": "ANYCAST",
    "openstack.org/om/notify/multicast/#": "MULTICAST",
  },
};

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

function brokerXml({ addressing, login }: ArtemisInit): string {
  const permissions = PERMISSIONS.map((type) => `        <permission type="${type}" roles="tests"/>`);
  const settings = Object.entries(ROUTING_TYPES[addressing]).map(
    ([match, type]) => `      <address-setting match="${match}">
        <no-expiry>true</no-expiry>
        <default-queue-routing-type>${type}</default-queue-routing-type>
        <default-address-routing-type>${type}</default-address-routing-type>
      </address-setting>`,
  );
  return `<configuration xmlns="urn:activemq">
  <core xmlns="urn:activemq:core">
    <name>${addressing}</name>
    <persistence-enabled>false</persistence-enabled>
    <max-disk-usage>-1</max-disk-usage>
    <security-enabled>${login !== undefined}</security-enabled>
    <acceptors>
      <acceptor name="amqp">tcp://127.0.0.1:0?protocols=AMQP;saslLoginConfigScope=amqp-sasl-scram;saslMechanisms=${SASL_MECHANISMS.join()}</acceptor>
    </acceptors>
    <wildcard-addresses>
      <routing-enabled>true</routing-enabled>
      <delimiter>${DELIMITERS[addressing]}</delimiter>
      <any-words>#</any-words>
      <single-word>*</single-word>
    </wildcard-addresses>
    <security-settings>
      <security-setting match="#">
${permissions.join("\n")}
      </security-setting>
    </security-settings>
    <address-settings>
${settings.join("\n")}
    </address-settings>
  </core>
</configuration>
`;
}

/**
 * For PLAIN the password itself. For each SCRAM what is made of it: Artemis could do so too, but takes a password for
 * ASCII. Made with Node's own means, so that nothing of ours is compared with itself.
 */
function users({ username, password }: ArtemisLogin): string {
  const scram = (["SHA256", "SHA512"] as const).map((hash) => {
    const [salt, iterations] = [randomBytes(16), 5_000];
    const salted = pbkdf2Sync(password.normalize("NFKC"), salt, iterations, hash === "SHA256" ? 32 : 64, hash);
    const key = (name: string) => createHmac(hash, salted).update(name).digest();
    const storedKey = createHash(hash).update(key("Client Key")).digest("base64");
    const parts = [salt.toString("base64"), iterations, key("Server Key").toString("base64"), storedKey];
    return `${username}|${hash} = ENC(${parts.join(":")})\n`;
  });
  return `${username} = ${latin1(password)}\n${scram.join("")}`;
}

/** Java reads properties as ISO 8859-1, with escapes for everything else. */
function latin1(text: string): string {
  return text.replace(/[^ -~]|\\/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
