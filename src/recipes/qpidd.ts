import { addressPlan } from "./address-plan.js";
import { ANONYMOUS_NOTE, comment, type Recipe } from "./recipe.js";

const NOTE = `
  /etc/qpid/qpidd.conf: oslo.messaging over AMQP 1.0
  For qpidd 0.34 or newer, with its AMQP 1.0 module. It has no WebSocket listener: browsers need a relay or a router in
  front of it.`;

const ADDRESSES = `
  Prefixes of the driver's addresses: queues for one server or any server, topics for all servers. They follow the
  driver's address options. If you change the options, change the prefixes too. The driver uses legacy addresses here.`;

const USERS = `
  Users are in the database that /etc/sasl2/qpidd.conf names. To add a user:
    saslpasswd2 -c -u QPID -f DATABASE NAME
  An acl-file must allow these users to create queues and topics.`;

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
    comment(anonymous ? ANONYMOUS_NOTE : USERS),
    ...(anonymous ? ["auth=no"] : ["auth=yes", "sasl-service-name=amqp"]),
    "",
    comment(ADDRESSES),
    ...patterns,
    "",
  ].join("\n");
};
