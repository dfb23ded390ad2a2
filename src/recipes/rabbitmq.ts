import { authority } from "../core/authority.js";
import { ConfigurationError } from "../driver/exceptions.js";
import { comment, type Recipe, WS_PORT } from "./recipe.js";

/** RabbitMQ 4. It accepts only its own AMQP 1.0 addresses, so its configuration has no prefixes. */
export const rabbitmq: Recipe = ({ options, host, port, wsPort = WS_PORT, anonymous }) => {
  const { addressingMode } = options;
  if (addressingMode !== "dynamic") {
    throw new ConfigurationError(
      "addressing_mode",
      `RabbitMQ does not support ${addressingMode} addresses, only its own: /queues/... and /exchanges/...`,
    );
  }
  const tcp = authority({ hostname: host, port });
  return [
    comment(NOTE),
    `listeners.tcp.oslo = ${tcp}`,
    "",
    comment(anonymous ? GUEST : USERS),
    ...(anonymous ? [] : ["anonymous_login_user = none", "anonymous_login_pass = none"]),
    "",
    comment(QUEUES),
    "deprecated_features.permit.transient_nonexcl_queues = true",
    "",
    comment(relay(authority({ hostname: host, port: wsPort }), tcp)),
    "",
  ].join("\n");
};

const NOTE = `
  /etc/rabbitmq/rabbitmq.conf: oslo.messaging over AMQP 1.0
  For RabbitMQ 4.1 or newer, which creates the queues for replies. AMQP 1.0 needs no plugin.
  Python's AMQP 1.0 driver cannot use RabbitMQ: Python's services connect with their rabbit:// driver.
  oslo-messaging cannot use it yet either: it does not build RabbitMQ's addresses.`;

const USERS = `
  Create the virtual host and its user. The virtual host is the path of the transport URL:
    rabbitmqctl add_vhost openstack
    rabbitmqctl add_user oslo        (asks for the password)
    rabbitmqctl set_permissions -p openstack oslo '.*' '.*' '.*'
  Refuse anonymous clients:`;

const GUEST = "Anonymous clients on this host connect as guest, to the virtual host /.";

const QUEUES = `
  Python's rabbit:// driver declares queues that are neither durable nor exclusive by default. RabbitMQ 4.3 refuses
  them without this permission.`;

function relay(from: string, to: string): string {
  return `
    The open-source edition has no AMQP over WebSocket: browsers need a relay in front of it, for example
      websocat --binary --exit-on-eof --server-protocol amqp ws-l:${from} tcp:${to}`;
}
