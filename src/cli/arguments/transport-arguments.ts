import { type Command, Option } from "commander";
import type { Conf, TransportConf } from "../../entry/conf-node.js";
import {
  getNotificationTransport,
  getRpcTransport,
  type NotificationTransport,
  type RPCTransport,
  TransportURL,
} from "../../entry/node.js";
import { UsageError } from "../exit-status.js";
import type { Terminal } from "../terminal.js";
import { pair, seconds, several } from "./argument-types.js";

export interface TransportArguments {
  url?: string | undefined;
  /** The contents of the file that `--conf` names, with its URLs replaced by `url`. */
  conf?: Conf | undefined;
  option?: readonly string[] | undefined;
}

/** Adds the options of every command that connects. */
export function addTransportArguments(command: Command): Command {
  return command
    .option(
      "--url <url>",
      "transport URL: amqp://, amqps://, amqp+ws://, amqp+wss:// or rabbit://[user:password@]host[:port][,...]/[vhost]",
    )
    .option("--conf <file>", "oslo.config file for everything that is not given here; --url or --conf is required")
    .option(
      "--option <key=value>",
      "option of [oslo_messaging_amqp], or of [oslo_messaging_rabbit] for rabbit://; may be repeated",
      several,
    )
    .hook("preAction", readConf);
}

/** Replaces the file name in the `conf` option by the contents of the file. */
async function readConf(command: Command): Promise<void> {
  const { url, conf: file } = command.opts<{ url?: string; conf?: string }>();
  if (file === undefined) {
    if (url === undefined) throw new UsageError("--url or --conf is required");
    return;
  }
  const { loadConf } = await import("../../entry/conf-node.js"); // on demand: it loads two libraries that only --conf needs
  command.setOptionValue("conf", await loadConf(file, { url }));
}

/** The time limit of the first connection, for commands that reconnect without limit afterwards. */
export function connectTimeout(): Option {
  const option = new Option("--connect-timeout <seconds>", "time limit of the first connection");
  return option.argParser(seconds).default(30_000, "30");
}

export function rpcTransport(given: TransportArguments, terminal: Terminal): RPCTransport {
  const { url, options } = transportConf(given, given.conf?.rpc, terminal);
  return getRpcTransport(url, options);
}

/** Notifications have no exchange of their own: they use the control exchange. */
export function notificationTransport(
  given: TransportArguments & { exchange?: string | undefined },
  terminal: Terminal,
): NotificationTransport {
  const { url, options } = transportConf(given, given.conf?.notifications, terminal);
  return getNotificationTransport(
    url,
    given.exchange === undefined ? options : { ...options, controlExchange: given.exchange },
  );
}

/** Adds the options to the query of the URL, as in oslo; they are checked when the transport is created. */
function transportConf(
  { conf, url = "", option = [] }: TransportArguments,
  base: TransportConf = { url, options: {} },
  { logger }: Terminal,
): { url: TransportURL; options: TransportConf["options"] } {
  for (const warning of conf?.warnings ?? []) logger.warn(warning);
  const { scheme, hosts, virtualHost, query } = TransportURL.parse(base.url);
  const withOptions = { ...query, ...Object.fromEntries(option.map(keyAndValue)) };
  return {
    url: new TransportURL({ scheme, hosts, virtualHost, query: withOptions }),
    options: { ...base.options, logger },
  };
}

/**
 * Splits `key=value`.
 *
 * @throws UsageError if the `=` or the key is missing.
 */
export function keyAndValue(text: string): [key: string, value: string] {
  return pair(text, "=", "--option must be KEY=VALUE");
}
