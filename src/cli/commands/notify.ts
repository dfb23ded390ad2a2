import { type Command, Option } from "commander";
import { PRIORITIES } from "../../driver/notify/notification.js";
import { type NotificationDriver, Notifier, type Priority } from "../../entry/node.js";
import { context, jsonValue, seconds, several } from "../arguments/argument-types.js";
import { EXCHANGE, noteExchange } from "../arguments/exchange.js";
import { sendTimeoutMs } from "../arguments/send-timeout.js";
import {
  addTransportArguments,
  notificationTransport,
  type TransportArguments,
} from "../arguments/transport-arguments.js";
import { endOf } from "../first-connection.js";
import type { Terminal } from "../terminal.js";

interface NotifyArguments extends TransportArguments {
  topic?: readonly string[] | undefined;
  exchange?: string | undefined;
  publisherId: string;
  eventType: string;
  priority: Priority;
  driver?: NotificationDriver | undefined;
  /** Milliseconds. */
  timeout?: number | undefined;
  context: Record<string, unknown>;
}

/** `notify`: prints nothing; ends when the notification is accepted for every topic. */
export function addNotifyCommand(program: Command, terminal: Terminal): void {
  const command = program.command("notify").description("Send a notification");
  addTransportArguments(command)
    .option("--topic <topic>", "topic to send to; may be repeated (default: the file's, or notifications)", several)
    .option("--exchange <exchange>", EXCHANGE)
    .requiredOption("--publisher-id <id>", "publisher ID")
    .requiredOption("--event-type <type>", "event type")
    .addOption(new Option("--priority <priority>", "priority of the notification").choices(PRIORITIES).default("info"))
    .addOption(
      new Option(
        "--driver <driver>",
        "notification driver: without or with the version 2.0 envelope, or only to stderr " +
          "(default: the file's, or messagingv2)",
      ).choices(["messaging", "messagingv2", "log"]),
    )
    .option("--timeout <seconds>", "time limit of the command (default: 30)", seconds)
    .option("--context <json>", "context of the notification, as a JSON object", context, {})
    .argument("<json>", "payload: any JSON value", (text) => jsonValue("The payload", text))
    .action((payload: unknown, given: NotifyArguments) => notify(payload, given, terminal));
}

async function notify(payload: unknown, given: NotifyArguments, terminal: Terminal): Promise<void> {
  const { publisherId, driver } = given;
  const { topics, drivers, retry, routing } = given.conf?.notifications ?? {};
  await using transport = notificationTransport(given, terminal);
  if (driver === undefined && drivers?.length === 0) {
    terminal.logger.warn("the file has no notification driver: nothing is sent");
  }
  const used = driver === undefined ? drivers : [driver];
  if (used === undefined || used.some((name) => ON_THE_BUS.has(name))) noteExchange(transport, given, terminal);
  const notifier = new Notifier(transport, {
    publisherId,
    topics: given.topic ?? topics,
    drivers: used,
    routing,
    retry,
    sanitizeContext: (context) => context,
  });
  const signal = endOf(transport, terminal);
  const timeoutMs = sendTimeoutMs(transport, given.timeout);
  await notifier[given.priority](given.context, given.eventType, payload, { timeoutMs, signal });
}

/** Drivers that send notifications over the message bus. */
const ON_THE_BUS: ReadonlySet<NotificationDriver> = new Set(["messaging", "messagingv2", "routing"] as const);
