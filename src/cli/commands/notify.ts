import { type Command, Option } from "commander";
import { PRIORITIES } from "../../driver/notify/notification.js";
import { type NotificationDriver, Notifier, type Priority } from "../../entry/node.js";
import { context, jsonValue, seconds, several } from "../arguments/argument-types.js";
import {
  addTransportArguments,
  notificationTransport,
  type TransportArguments,
} from "../arguments/transport-arguments.js";
import type { Terminal } from "../terminal.js";

interface NotifyArguments extends TransportArguments {
  topic?: readonly string[] | undefined;
  publisherId: string;
  eventType: string;
  priority: Priority;
  driver?: NotificationDriver | undefined;
  /** Milliseconds. */
  timeout?: number | undefined;
  context: Record<string, unknown>;
}

/** `notify`: prints nothing; ends when every topic's notification has been taken. */
export function addNotifyCommand(program: Command, terminal: Terminal): void {
  const command = program.command("notify").description("send a notification");
  addTransportArguments(command)
    .option("--topic <topic>", "default: the file's, or notifications; may be given several times", several)
    .requiredOption("--publisher-id <id>", "who says it")
    .requiredOption("--event-type <type>", "what happened")
    .addOption(new Option("--priority <priority>", "how urgent it is").choices(PRIORITIES).default("info"))
    .addOption(
      new Option(
        "--driver <driver>",
        "without or with the envelope of version 2.0, or to stderr alone (default: the file's, or messagingv2)",
      ).choices(["messaging", "messagingv2", "log"]),
    )
    .option("--timeout <seconds>", "how long all of it may take (default: 30)", seconds)
    .option("--context <json>", "a JSON object that goes with the notification", context, {})
    .argument("<json>", "the payload: any JSON value", (text) => jsonValue("The payload", text))
    .action((payload: unknown, given: NotifyArguments) => notify(payload, given, terminal));
}

async function notify(payload: unknown, given: NotifyArguments, terminal: Terminal): Promise<void> {
  const { publisherId, timeout: timeoutMs, driver } = given;
  const { topics, drivers, retry, routing } = given.conf?.notifications ?? {};
  await using transport = notificationTransport(given, terminal);
  if (driver === undefined && drivers?.length === 0) terminal.logger.warn("the file names no driver: nothing is sent");
  const notifier = new Notifier(transport, {
    publisherId,
    topics: given.topic ?? topics,
    drivers: driver === undefined ? drivers : [driver],
    routing,
    retry,
    sanitizeContext: (context) => context,
  });
  await notifier[given.priority](given.context, given.eventType, payload, { timeoutMs, signal: terminal.interrupted });
}
