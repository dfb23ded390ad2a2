import { type Command, Option } from "commander";
import {
  getNotificationTransport,
  getRpcTransport,
  type NotificationTransport,
  type RPCTransport,
  TransportURL,
} from "../entry/node.js";
import { seconds, several } from "./argument-types.js";
import { UsageError } from "./exit-status.js";
import type { Terminal } from "./terminal.js";

export interface TransportArguments {
  url: string;
  option?: readonly string[] | undefined;
}

/** What every command that connects takes. */
export function addTransportArguments(command: Command): Command {
  return command
    .requiredOption(
      "--url <url>",
      "amqp://, amqps://, amqp+ws:// or amqp+wss://[user:password@]host[:port][,...]/[vhost]",
    )
    .option("--option <key=value>", "an option of [oslo_messaging_amqp]; may be given several times", several);
}

/** For what goes on connecting for ever once it has been connected. */
export function connectTimeout(): Option {
  const option = new Option("--connect-timeout <seconds>", "how long the first connection may take");
  return option.argParser(seconds).default(30_000, "30");
}

export function rpcTransport(given: TransportArguments, { logger }: Terminal): RPCTransport {
  return getRpcTransport(withOptions(given), { logger });
}

export function notificationTransport(given: TransportArguments, { logger }: Terminal): NotificationTransport {
  return getNotificationTransport(withOptions(given), { logger });
}

/** The options go where oslo has them too: into the query of the URL, which is checked when the transport is made. */
function withOptions({ url, option = [] }: TransportArguments): TransportURL {
  const { scheme, hosts, virtualHost, query } = TransportURL.parse(url);
  return new TransportURL({
    scheme,
    hosts,
    virtualHost,
    query: { ...query, ...Object.fromEntries(option.map(keyAndValue)) },
  });
}

/** `key=value`. The value may be secret: it is not shown. */
export function keyAndValue(text: string): [key: string, value: string] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`--option must be KEY=VALUE, and ${JSON.stringify(text)} has no "="`);
  return [text.slice(0, at), text.slice(at + 1)];
}
