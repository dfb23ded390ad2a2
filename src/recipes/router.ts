import type { AddressClass } from "../intermediary/addresses.js";
import { addressPlan } from "./address-plan.js";
import { ANONYMOUS_NOTE, comment, type RecipeInit, WS_PORT } from "./recipe.js";

/** The differences between the routers. */
export interface Router {
  /** Path of the configuration file. */
  file: string;
  /** Name of the program and of its SASL configuration. */
  name: string;
  /** Note for the operator. */
  note: string;
}

/**
 * The configuration of qpid-dispatch or of its fork skupper-router. The driver uses routable addresses with both, or
 * legacy ones if so configured: the file has both unless `addressing_mode` names one (the guide's qdrouterd.conf).
 */
export function routerConfiguration({ file, name, note }: Router, init: RecipeInit): string {
  const { options, host, port, wsPort = WS_PORT, anonymous } = init;
  const blocks = [
    comment(`${file}: oslo.messaging over AMQP 1.0\n${note}`),
    block("router", { mode: "standalone", id: "oslo-messaging" }),
    comment(anonymous ? ANONYMOUS_NOTE : users(name)),
    block("listener", { host, port, role: "normal", ...access(anonymous) }),
    comment("AMQP over WebSocket, for browsers: ws, or wss with an sslProfile."),
    block("listener", { host, port: wsPort, role: "normal", http: "yes", ...access(anonymous) }),
    comment(ADDRESSES),
    ...addressPlan(options, ["legacy", "routable"]).map(addressBlock),
  ];
  return `${blocks.join("\n\n")}\n`;
}

const ADDRESSES = `
  Prefixes of the driver's addresses. They follow the driver's address options. If you change the options, change the
  prefixes too. closest and balanced both go to one server; closest prefers one that is connected to this router.`;

function users(name: string): string {
  return `
    /etc/sasl2/${name}.conf names the database of the users, and its mech_list must include these mechanisms. To add a
    user:
      saslpasswd2 -c -u oslo -f DATABASE NAME
    Clients prefer SCRAM, which knows only the users of this database: if your users are elsewhere, offer only PLAIN.
    The user is then NAME@oslo, or NAME with sasl_default_realm = oslo. PLAIN sends the password in clear: use TLS, with
    an sslProfile and requireSsl: yes.`;
}

function access(anonymous: boolean): Record<string, string> {
  return anonymous
    ? { authenticatePeer: "no", saslMechanisms: "ANONYMOUS" }
    : { authenticatePeer: "yes", saslMechanisms: "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN" };
}

function addressBlock({ prefix, distribution }: AddressClass): string {
  return block("address", { prefix, distribution });
}

function block(entity: string, attributes: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(attributes).map(([name, value]) => `    ${name}: ${value}`);
  return [`${entity} {`, ...lines, "}"].join("\n");
}
