import { authority } from "../core/authority.js";
import { ConfigurationError } from "../driver/exceptions.js";
import { comment, type Recipe, WS_PORT } from "./recipe.js";

/** RabbitMQ 4, whose own AMQP 1.0 addresses are the only ones that it takes: they need no prefixes to be known. */
export const rabbitmq: Recipe = ({ options, host, port, wsPort = WS_PORT, anonymous }) => {
  const { addressingMode } = options;
  if (addressingMode !== "dynamic") {
    throw new ConfigurationError(
      "addressing_mode",
      `RabbitMQ cannot do ${addressingMode} addresses: it takes only its own, /queues/... and /exchanges/...`,
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
  RabbitMQ 4.1 or newer, which makes the queues for replies. AMQP 1.0 needs no plugin.
  The Python driver of AMQP 1.0 cannot use it: Python's services come by their rabbit:// driver.
  Nor can this one yet: it does not make RabbitMQ's addresses.`;

const USERS = `
  The virtual host and who may use it; the virtual host is the path of the transport URL:
    rabbitmqctl add_vhost openstack
    rabbitmqctl add_user oslo        (it asks for the password)
    rabbitmqctl set_permissions -p openstack oslo '.*' '.*' '.*'
  Nobody else:`;

const GUEST = "Everybody who connects from this host is guest, on the virtual host /.";

const QUEUES = `
  The queues that Python's rabbit:// driver declares by default are neither durable nor exclusive, which 4.3 refuses
  otherwise.`;

function relay(from: string, to: string): string {
  return `
    There is no AMQP over WebSocket in the open-source edition: browsers need a relay in front, for example
      websocat --binary --exit-on-eof --server-protocol amqp ws-l:${from} tcp:${to}`;
}
