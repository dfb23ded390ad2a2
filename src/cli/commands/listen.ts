import { type Command, Option } from "commander";
import { PRIORITIES } from "../../driver/notify/notification.js";
import {
  getNotificationListener,
  type NotificationEndpoint,
  type NotificationHandler,
  NotificationResult,
  type Priority,
} from "../../entry/node.js";
import { count, several } from "../arguments/argument-types.js";
import { EXCHANGE, noteExchange } from "../arguments/exchange.js";
import {
  addTransportArguments,
  connectTimeout,
  notificationTransport,
  type TransportArguments,
} from "../arguments/transport-arguments.js";
import { endOf } from "../first-connection.js";
import { aborted, type Terminal } from "../terminal.js";

interface ListenArguments extends TransportArguments {
  topic?: readonly string[] | undefined;
  exchange?: string | undefined;
  pool?: string | undefined;
  priority?: readonly Priority[] | undefined;
  count?: number | undefined;
  /** Milliseconds. */
  connectTimeout: number;
}

/** `listen`: prints `{"ready":true}` once its links are attached, then one line for each notification. */
export function addListenCommand(program: Command, terminal: Terminal): void {
  const command = program.command("listen").description("Print notifications as they arrive, until Ctrl-C");
  addTransportArguments(command)
    .option("--topic <topic>", "topic to listen to; may be repeated (default: the file's, or notifications)", several)
    .option("--exchange <exchange>", EXCHANGE)
    .option("--pool <name>", "share a copy of the notifications with the listeners of this pool; only for RabbitMQ")
    .addOption(
      new Option("--priority <priority...>", "priority to print; may be repeated (default: all)").choices(PRIORITIES),
    )
    .option("--count <n>", "end after n notifications", count)
    .addOption(connectTimeout())
    .action((given: ListenArguments) => listen(given, terminal));
}

async function listen(given: ListenArguments, terminal: Terminal): Promise<void> {
  const { conf, priority: priorities = PRIORITIES, count, pool } = given;
  const topics = given.topic ?? conf?.notifications.topics ?? ["notifications"];
  const { interrupted } = terminal;
  const printer = new Printer(terminal, count);
  await using transport = notificationTransport(given, terminal);
  await using listener = getNotificationListener(
    transport,
    topics.map((topic) => ({ topic })),
    [printer.endpoint(priorities)],
    { allowRequeue: true, concurrency: conf?.server.concurrency, pool },
  );
  noteExchange(transport, given, terminal);
  const signal = endOf(transport, terminal);
  await transport.connect({ keepTrying: true, timeoutMs: given.connectTimeout, signal });
  await listener.start({ signal: interrupted });
  terminal.print({ ready: true });
  await Promise.race([aborted(interrupted), printer.done]);
  await listener.stop();
  await listener.wait();
}

/** Prints notifications. Requeues those that arrive once `count` are printed or the command is interrupted. */
class Printer {
  readonly done: Promise<void>;
  readonly #terminal: Terminal;
  #left: number;
  #finish = (): void => {};

  constructor(terminal: Terminal, count = Number.POSITIVE_INFINITY) {
    this.#terminal = terminal;
    this.#left = count;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  endpoint(priorities: readonly Priority[]): NotificationEndpoint {
    return Object.fromEntries(priorities.map((priority) => [priority, this.#handler(priority)]));
  }

  #handler(priority: Priority): NotificationHandler {
    return (context: object, publisherId, eventType, payload: unknown, metadata) => {
      if (this.#left === 0 || this.#terminal.interrupted.aborted) return NotificationResult.REQUEUE;
      this.#terminal.print({ priority, context, publisherId, eventType, payload, metadata });
      this.#left -= 1;
      if (this.#left === 0) this.#finish();
      return NotificationResult.HANDLED;
    };
  }
}
