import { Amqp091Error } from "../../amqp091/errors.js";
import { ACCESS_REFUSED } from "../../amqp091/reply-codes.js";
import { DeclarationRefused } from "../../driver/rabbit/declaration-refused.js";
import type { DeclaredEntity } from "../../entry/node.js";

const SEE = "see oslo-messaging recipe rabbitmq";

/** The remedy for an error of the broker, if there is one. */
export function adviceOnError(error: Error): string | undefined {
  const reason = error instanceof Amqp091Error ? error : error.cause;
  if (!(reason instanceof Amqp091Error)) return undefined;
  if (reason.code === ACCESS_REFUSED) return adviceOnPermission(reason.text);
  if (error instanceof DeclarationRefused && reason.text.includes("deprecated")) {
    return `set rabbit_quorum_queue = true and rabbit_transient_quorum_queue = true in every service; ${SEE}`;
  }
  return undefined;
}

/** The command that grants what the broker refused. Its text names the user and the virtual host. */
export function adviceOnPermission(text: string): string {
  const user = /for user '([^']*)'/.exec(text)?.[1] ?? "USER";
  const virtualHost = /in vhost '([^']*)'/.exec(text)?.[1] ?? "VHOST";
  const regexps = "CONFIGURE WRITE READ";
  return (
    `rabbitmqctl set_permissions -p ${quoted(virtualHost)} ${quoted(user)} ${regexps} grants it: ` +
    `each is a regular expression for names of exchanges and queues, '.*' for all; ${SEE}`
  );
}

/** The remedy for an exchange or a queue that is not as the options say. */
export function adviceOnEntity({ kind, state, reason }: DeclaredEntity): string | undefined {
  switch (state) {
    case "declared":
      return undefined;
    case "different":
      return (
        `every service must declare the ${kind} in the same way: compare amqp_durable_queues, amqp_auto_delete and ` +
        `rabbit_quorum_queue of [oslo_messaging_rabbit] with those of the services, or delete it; ${SEE}`
      );
    case "refused":
      return adviceOnPermission(reason ?? "");
    case "missing":
      return "its first server or listener declares it: start one, or name its exchange with --exchange, for a service often sets its own";
  }
}

function quoted(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
}
