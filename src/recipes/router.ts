import type { AddressClass } from "../intermediary/addresses.js";
import { addressPlan } from "./address-plan.js";
import { comment, type RecipeInit, WS_PORT } from "./recipe.js";

/** What tells one router from the other. */
export interface Router {
  /** Where its configuration is kept. */
  file: string;
  /** The program, which is also the name of its SASL configuration. */
  name: string;
  /** For the operator. */
  note: string;
}

/**
 * The configuration of qpid-dispatch or of skupper-router, which came from it: both speak routable addresses, and a driver
 * that is told so the legacy ones, so that both are in it unless `addressing_mode` names one (the guide's qdrouterd.conf).
 */
export function routerConfiguration({ file, name, note }: Router, init: RecipeInit): string {
  const { options, host, port, wsPort = WS_PORT, anonymous } = init;
  const blocks = [
    comment(`${file}: oslo.messaging over AMQP 1.0\n${note}`),
    block("router", { mode: "standalone", id: "oslo-messaging" }),
    comment(anonymous ? EVERYBODY : users(name)),
    block("listener", { host, port, role: "normal", ...access(anonymous) }),
    comment("AMQP over WebSocket, for browsers: ws, or wss with an sslProfile."),
    block("listener", { host, port: wsPort, role: "normal", http: "yes", ...access(anonymous) }),
    comment(ADDRESSES),
    ...addressPlan(options, ["legacy", "routable"]).map(addressBlock),
  ];
  return `${blocks.join("\n\n")}\n`;
}

const EVERYBODY = "Everybody may connect: only for a host that nobody else reaches.";

const ADDRESSES = `
  What the addresses of the driver begin with. They follow its options: whoever changes those changes these too.
  closest and balanced both go to one server; closest prefers one that is connected to this router.`;

function users(name: string): string {
  return `
    Who may connect is in the database that /etc/sasl2/${name}.conf names, where mech_list has to name these mechanisms:
      saslpasswd2 -c -u oslo -f DATABASE NAME
    Clients prefer SCRAM, which knows the users of this database alone: where they are elsewhere, offer PLAIN only.
    The user is then NAME@oslo, or NAME with sasl_default_realm = oslo. A password in clear belongs on TLS: an sslProfile
    and requireSsl: yes.`;
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
