import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { resolveOptions } from "@/src/driver/options/options.js";
import { ARTEMIS_ROLE, artemis } from "@/src/recipes/artemis.js";

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
  /** Changes broker.xml. */
  edit?: ((xml: string) => string) | undefined;
}

const JAAS = "org.apache.activemq.artemis.spi.core.security.jaas";

/** What an operator adds to the acceptor of the recipe who has users for SCRAM. */
const WITH_SCRAM = "PLAIN,ANONYMOUS,SCRAM-SHA-256,SCRAM-SHA-512;saslLoginConfigScope=amqp-sasl-scram";

/** The configuration of an Artemis from the recipe that operators get. In memory only, no web console, any free port. */
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
    "roles.properties": init.login === undefined ? "" : `${ARTEMIS_ROLE} = ${init.login.username}\n`,
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

function brokerXml({ addressing, login, edit = (xml) => xml }: ArtemisInit): string {
  const options = resolveOptions({ options: { addressingMode: addressing } });
  const recipe = artemis({ options, host: "127.0.0.1", port: 0, anonymous: login === undefined });
  const inMemory = replaced(recipe, "<persistence-enabled>true<", "<persistence-enabled>false<");
  const anyDisk = replaced(inMemory, "<max-disk-usage>90<", "<max-disk-usage>-1<");
  return edit(replaced(anyDisk, "PLAIN,ANONYMOUS", WITH_SCRAM));
}

/** Throws where there is nothing to replace: the recipe has changed, or a test asks for what never was. */
export function replaced(text: string, from: string | RegExp, to: string): string {
  const result = text.replace(from, to);
  if (result === text) throw new Error(`${from} is not in\n${text}`);
  return result;
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
