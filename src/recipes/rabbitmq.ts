import { authority } from "../core/authority.js";
import { RABBIT_TABLE, type ResolvedRabbitOptions } from "../driver/rabbit/option-table.js";
import { ANONYMOUS_NOTE, comment, type Recipe } from "./recipe.js";

/** RabbitMQ, which Python's services use by their rabbit:// driver and ours by AMQP 0-9-1. */
export const rabbitmq: Recipe<ResolvedRabbitOptions> = ({ options, host, port, anonymous }) =>
  [
    comment(NOTE),
    `listeners.tcp.oslo = ${authority({ hostname: host, port })}`,
    "",
    comment(anonymous ? GUEST : USERS),
    ...(anonymous ? ["loopback_users = none"] : []),
    "auth_mechanisms.1 = PLAIN",
    "auth_mechanisms.2 = AMQPLAIN",
    "",
    comment(queues(options, anonymous ? "/" : VIRTUAL_HOST)),
    "",
    comment(tls(host)),
    "",
  ].join("\n");

const VIRTUAL_HOST = "openstack";

const NOTE = `
  /etc/rabbitmq/rabbitmq.conf: oslo.messaging over AMQP 0-9-1
  For RabbitMQ 3.8 or newer. It needs no plugin. It has no WebSocket listener for AMQP 0-9-1: clients need TCP.`;

const USERS = `
  Create a virtual host and a user. The virtual host is the path of the transport URL:
  rabbit://oslo:PASSWORD@host:5672/${VIRTUAL_HOST}. The user guest can connect from this machine only, and is better deleted.
    rabbitmqctl add_vhost ${VIRTUAL_HOST}
    rabbitmqctl add_user oslo        (asks for the password)
    rabbitmqctl set_permissions -p ${VIRTUAL_HOST} oslo '.*' '.*' '.*'
  The three regular expressions are for names of exchanges and queues: to configure is to declare and to delete, to write
  is to publish to an exchange and to bind a queue, to read is to consume a queue and to bind to an exchange. Replies are
  published to amq.default. Services declare what they use, queues with random names among it. A user that only
  sends and receives the notifications of nova needs these names:
    rabbitmqctl add_user notified        (asks for the password)
    rabbitmqctl set_permissions -p ${VIRTUAL_HOST} notified '^(nova|notifications\\..*)$' '^(nova|notifications\\..*)$' '^(nova|notifications\\..*)$'
  Only mechanisms with a password:`;

const GUEST = `
  ${ANONYMOUS_NOTE}
  They connect as guest, to the virtual host /: rabbit://host/. By default guest may connect from this machine only.`;

/** The options that shape what is declared: a difference is an error of the broker, which Python's driver does not survive. */
const SHARED = [
  "amqpDurableQueues",
  "amqpAutoDelete",
  "rabbitHaQueues",
  "rabbitQuorumQueue",
  "rabbitTransientQuorumQueue",
  "rabbitQuorumDeliveryLimit",
  "rabbitQuorumMaxMemoryLength",
  "rabbitQuorumMaxMemoryBytes",
  "rabbitTransientQueuesTtlMs",
] as const;

function queues(options: ResolvedRabbitOptions, virtualHost: string): string {
  const lines = SHARED.map(
    (key) => `    ${RABBIT_TABLE[key].name} = ${key.endsWith("Ms") ? Number(options[key]) / 1_000 : options[key]}`,
  );
  return `
  Every service and client must declare exchanges and queues in the same way: these options of [oslo_messaging_rabbit] must
  have the same values in all of their files, and in the query of the URLs of clients without a file.
${lines.join("\n")}
  By default exchanges and queues are lost when the broker stops. amqp_durable_queues keeps those of topics,
  rabbit_quorum_queue replicates them too. RabbitMQ 4 deprecates queues that are neither durable nor exclusive, and refuses
  them with deprecated_features.permit.transient_nonexcl_queues = false: then rabbit_quorum_queue and
  rabbit_transient_quorum_queue are both needed, the latter for the queues of replies and fanouts. A change of these options
  needs a stop of all services, and the deletion of the exchanges and queues.
  Notifications that no listener consumes stay in their queues, without limit. A policy limits them:
    rabbitmqctl set_policy -p ${virtualHost} --apply-to queues notifications '^notifications\\.' '{"max-length":100000}'`;
}

function tls(host: string): string {
  return `
  TLS: the URL needs its port, and the option ssl: rabbit://oslo:PASSWORD@host:5671/${VIRTUAL_HOST}?ssl=true&ssl_ca_file=/path/ca.pem
    listeners.ssl.oslo = ${authority({ hostname: host, port: 5671 })}
    ssl_options.cacertfile = /etc/rabbitmq/ca.pem
    ssl_options.certfile = /etc/rabbitmq/cert.pem
    ssl_options.keyfile = /etc/rabbitmq/key.pem
    ssl_options.verify = verify_peer
    ssl_options.fail_if_no_peer_cert = false
  Login by a client certificate, whose common name is the name of the user: rabbit_login_method=EXTERNAL, ssl_cert_file and
  ssl_key_file in the client, and rabbitmq-plugins enable rabbitmq_auth_mechanism_ssl.
    auth_mechanisms.3 = EXTERNAL
    ssl_cert_login_from = common_name`;
}
