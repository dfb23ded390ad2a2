import { addressPlan } from "./address-plan.js";
import { comment, type Recipe } from "./recipe.js";

const NOTE = `
  /etc/qpid/qpidd.conf: oslo.messaging over AMQP 1.0
  qpidd 0.34 or newer, with its AMQP 1.0 module. It has no WebSocket: browsers need a relay or a router in front of it.`;

const ADDRESSES = `
  What the addresses of the driver begin with: queues for one server or any of them, topics for all of them.
  They follow its options: whoever changes those changes these too. The driver takes legacy addresses here.`;

const USERS = `
  Who may connect is in the database that /etc/sasl2/qpidd.conf names:
    saslpasswd2 -c -u QPID -f DATABASE NAME
  An acl-file must let these users create queues and topics.`;

/** The C++ broker of Apache Qpid. */
export const qpidd: Recipe = ({ options, host, port, anonymous }) => {
  const patterns = addressPlan(options, ["legacy"]).map(
    ({ prefix, distribution }) => `${distribution === "multicast" ? "topic" : "queue"}-patterns=${prefix}`,
  );
  return [
    comment(NOTE),
    `interface=${host}`,
    `port=${port}`,
    "",
    comment(anonymous ? "Everybody may connect: only for a host that nobody else reaches." : USERS),
    ...(anonymous ? ["auth=no"] : ["auth=yes", "sasl-service-name=amqp"]),
    "",
    comment(ADDRESSES),
    ...patterns,
    "",
  ].join("\n");
};
