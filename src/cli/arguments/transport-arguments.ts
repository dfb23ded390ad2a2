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
import { seconds, several } from "./argument-types.js";

export interface TransportArguments {
  url?: string | undefined;
  /** What the file says that `--conf` names, with `url` in the place of its URLs. */
  conf?: Conf | undefined;
  option?: readonly string[] | undefined;
}

/** What every command that connects takes. */
export function addTransportArguments(command: Command): Command {
  return command
    .option("--url <url>", "amqp://, amqps://, amqp+ws:// or amqp+wss://[user:password@]host[:port][,...]/[vhost]")
    .option("--conf <file>", "an oslo.config file, for all that is not given here; this or --url is needed")
    .option("--option <key=value>", "an option of [oslo_messaging_amqp]; may be given several times", several)
    .hook("preAction", readConf);
}

/** Puts what the file says in the place of its name. */
async function readConf(command: Command): Promise<void> {
  const { url, conf: file } = command.opts<{ url?: string; conf?: string }>();
  if (file === undefined) {
    if (url === undefined) throw new UsageError("--url or --conf is needed, to know where to connect to");
    return;
  }
  const { loadConf } = await import("../../entry/conf-node.js"); // with two libraries, which nobody else waits for
  command.setOptionValue("conf", await loadConf(file, { url }));
}

/** For what goes on connecting for ever once it has been connected. */
export function connectTimeout(): Option {
  const option = new Option("--connect-timeout <seconds>", "how long the first connection may take");
  return option.argParser(seconds).default(30_000, "30");
}

export function rpcTransport(given: TransportArguments, terminal: Terminal): RPCTransport {
  const { url, options } = transportConf(given, given.conf?.rpc, terminal);
  return getRpcTransport(url, options);
}

export function notificationTransport(given: TransportArguments, terminal: Terminal): NotificationTransport {
  const { url, options } = transportConf(given, given.conf?.notifications, terminal);
  return getNotificationTransport(url, options);
}

/** The options go where oslo has them too: into the query of the URL, which is checked when the transport is made. */
function transportConf(
  { conf, url = "", option = [] }: TransportArguments,
  own: TransportConf = { url, options: {} },
  { logger }: Terminal,
): { url: TransportURL; options: TransportConf["options"] } {
  for (const warning of conf?.warnings ?? []) logger.warn(warning);
  const { scheme, hosts, virtualHost, query } = TransportURL.parse(own.url);
  const withOptions = { ...query, ...Object.fromEntries(option.map(keyAndValue)) };
  return {
    url: new TransportURL({ scheme, hosts, virtualHost, query: withOptions }),
    options: { ...own.options, logger },
  };
}

/** `key=value`. Nothing of the text is shown: the value may be secret. */
export function keyAndValue(text: string): [key: string, value: string] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError("--option must be KEY=VALUE");
  return [text.slice(0, at), text.slice(at + 1)];
}
