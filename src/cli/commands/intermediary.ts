import { type Command, InvalidArgumentError, Option } from "commander";
import { authority } from "../../core/authority.js";
import type { Listening } from "../../core/byte-stream.js";
import { toError } from "../../core/errors.js";
import type { Logger } from "../../core/logger.js";
import { parseOptions } from "../../driver/options/options.js";
import type { Addressing } from "../../intermediary/addresses.js";
import { Intermediary, PRODUCT } from "../../intermediary/intermediary.js";
import { listenTcp } from "../../transports/node/tcp-listener.js";
import { listenWebSocket } from "../../transports/node/websocket-listener.js";
import { pair, port, several } from "../arguments/argument-types.js";
import { bound, localHost, origin } from "../arguments/listener-arguments.js";
import { type TlsArguments, tlsOf } from "../arguments/tls-arguments.js";
import { keyAndValue } from "../arguments/transport-arguments.js";
import { UsageError } from "../exit-status.js";
import { aborted, type Terminal } from "../terminal.js";

interface IntermediaryArguments extends TlsArguments {
  kind: "router" | "broker";
  host: string;
  tcp: number;
  ws: number;
  product?: string | undefined;
  user?: readonly string[] | undefined;
  token?: readonly string[] | undefined;
  sasl?: readonly string[] | undefined;
  vhost?: readonly string[] | undefined;
  origin?: readonly string[] | undefined;
  option?: readonly string[] | undefined;
}

const MAX_CONNECTIONS = 1_000;
const MAX_WS_MESSAGE_BYTES = 16 * 1024 * 1024;

/** The options that shape addresses; an intermediary has no others. */
const ADDRESSING = new Set([
  "rpc_address_prefix",
  "notify_address_prefix",
  "multicast_address",
  "unicast_address",
  "anycast_address",
  "server_request_prefix",
  "broadcast_prefix",
  "group_request_prefix",
]);

/** `intermediary`: prints the ports once it listens on both, as `{"tcp":PORT,"ws":PORT}`, and logs URLs for clients. */
export function addIntermediaryCommand(program: Command, terminal: Terminal): void {
  program
    .command("intermediary")
    .description("Run an AMQP 1.0 router or broker until Ctrl-C: for development and tests, not for production")
    .addOption(
      new Option("--kind <kind>", "kind of intermediary: a router forwards directly, a broker stores and forwards")
        .choices(["router", "broker"])
        .default("router"),
    )
    .option("--host <host>", "interface to listen on", "127.0.0.1")
    .option("--tcp <port>", "port for AMQP over TCP; 0: any free port", port, 0)
    .option("--ws <port>", "port for AMQP over WebSocket; 0: any free port", port, 0)
    .option("--product <name>", "product name in the Open (default: oslo-messaging-KIND)", product)
    .option("--user <name:password>", "user that may connect; others are refused; may be repeated", several)
    .option("--token <token>", "token that is accepted with OAUTHBEARER and XOAUTH2; may be repeated", several)
    .option(
      "--sasl <mechanism>",
      "SASL mechanism to offer; may be repeated (default: all that users, tokens or client certificates allow)",
      several,
    )
    .option(
      "--vhost <name>",
      "virtual host, selected by the hostname of the Open; others are refused; may be repeated (default: one for all)",
      several,
    )
    .option(
      "--origin <url>",
      "origin of pages that may connect, besides those from loopback: https://console.example.org; may be repeated",
      several,
    )
    .option("--option <key=value>", "option of [oslo_messaging_amqp] for addresses; may be repeated", several)
    .option("--tls-cert <file>", "certificate in PEM format; listens only with TLS (amqps, amqp+wss)")
    .option("--tls-key <file>", "private key of the certificate in PEM format, not encrypted")
    .option("--tls-client-ca <file>", "CAs in PEM format; clients need a certificate that one of them has signed")
    .action((given: IntermediaryArguments) => run(given, terminal));
}

async function run(given: IntermediaryArguments, { print, logger, interrupted }: Terminal): Promise<void> {
  const { host } = given;
  const origins = given.origin?.map(origin);
  const tls = await tlsOf(given);
  const intermediary = create(given, logger);
  const common = { host, maxConnections: MAX_CONNECTIONS, accept: intermediary.accept, tls, logger };
  const listeners: Listening[] = [];
  try {
    const tcp = await bound("--tcp", listenTcp({ ...common, port: given.tcp }));
    listeners.push(tcp);
    const webSocket = { ...common, port: given.ws, maxMessageBytes: MAX_WS_MESSAGE_BYTES, origins };
    const ws = await bound("--ws", listenWebSocket(webSocket));
    listeners.push(ws);
    print({ tcp: tcp.port, ws: ws.port });
    const secure = tls === undefined ? "" : "s";
    const urls = [urlOf(`amqp${secure}`, tcp.port, given), urlOf(`amqp+ws${secure}`, ws.port, given)];
    logger.info(`URLs for clients: ${urls.join(" ")}`);
    await aborted(interrupted);
  } finally {
    await intermediary.close();
    await Promise.all(listeners.map((listener) => listener.close()));
  }
}

function create(
  { kind, product, user, token, sasl, vhost, option = [], tlsClientCa }: IntermediaryArguments,
  logger: Logger,
): Intermediary {
  if (tlsClientCa === undefined && sasl?.some((name) => name.toUpperCase() === "EXTERNAL"))
    throw new UsageError("--sasl: EXTERNAL needs --tls-client-ca");
  const authentication = { users: users(user), tokens: token && new Set(token), sasl };
  const options = { kind, product, virtualHosts: vhost, addressing: addressing(option), logger };
  try {
    return new Intermediary({ ...options, ...authentication });
  } catch (cause) {
    throw new UsageError(`--sasl: ${toError(cause).message}`, { cause });
  }
}

/** A transport URL for clients on this machine. PASSWORD stands for the password of the first user. */
function urlOf(scheme: string, port: number, { host, user, option = [] }: IntermediaryArguments): string {
  const [name] = users(user)?.keys() ?? [];
  const login = name === undefined ? "" : `${encodeURIComponent(name)}:PASSWORD@`;
  const query = new URLSearchParams(option.map(keyAndValue));
  const at = authority({ hostname: localHost(host), port });
  return `${scheme}://${login}${at}/${query.size > 0 ? `?${query}` : ""}`;
}

function product(text: string): string {
  if (!PRODUCT.test(text)) throw new InvalidArgumentError("Must be 1 to 100 printable ASCII characters");
  return text;
}

function users(texts: readonly string[] | undefined): ReadonlyMap<string, string> | undefined {
  return texts && new Map(texts.map((text) => pair(text, ":", "--user must be NAME:PASSWORD")));
}

function addressing(texts: readonly string[]): Addressing {
  const options = Object.fromEntries(texts.map(keyAndValue));
  const parsed = parseOptions(options);
  const unsupported = Object.keys(options).find((key) => !ADDRESSING.has(key));
  if (unsupported === undefined) return parsed;
  throw new UsageError(`--option ${unsupported}: must be one of ${[...ADDRESSING].join(", ")}`);
}
