import { type Command, Option } from "commander";
import type { Listening } from "../../core/byte-stream.js";
import { toError } from "../../core/errors.js";
import type { Logger } from "../../core/logger.js";
import { parseOptions } from "../../driver/options/options.js";
import type { Addressing } from "../../intermediary/addresses.js";
import { Intermediary } from "../../intermediary/intermediary.js";
import { listenTcp } from "../../transports/node/tcp-listener.js";
import { listenWebSocket } from "../../transports/node/websocket-listener.js";
import { port, several } from "../arguments/argument-types.js";
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
  option?: readonly string[] | undefined;
}

const MAX_CONNECTIONS = 1_000;
const MAX_WS_MESSAGE_BYTES = 16 * 1024 * 1024;

/** The options that say how addresses look: nothing else concerns an intermediary. */
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

/** `intermediary`: prints the ports once it listens on both, as `{"tcp":PORT,"ws":PORT}`. */
export function addIntermediaryCommand(program: Command, terminal: Terminal): void {
  program
    .command("intermediary")
    .description("run an AMQP 1.0 router or broker until Ctrl-C: for development and tests, not for production")
    .addOption(
      new Option("--kind <kind>", "router: direct; broker: stores and forwards")
        .choices(["router", "broker"])
        .default("router"),
    )
    .option("--host <host>", "the interface to listen on", "127.0.0.1")
    .option("--tcp <port>", "for AMQP over TCP; 0: any free one", port, 0)
    .option("--ws <port>", "for AMQP over WebSocket; 0: any free one", port, 0)
    .option("--product <name>", "what it calls itself (default: oslo-messaging-KIND)")
    .option("--user <name:password>", "who may connect, others may not; may be given several times", several)
    .option(
      "--token <token>",
      "whose bearer may connect by OAUTHBEARER or XOAUTH2; may be given several times",
      several,
    )
    .option(
      "--sasl <mechanism>",
      "a SASL mechanism that is offered (default: all that users, tokens or client certificates allow); may be given several times",
      several,
    )
    .option(
      "--vhost <name>",
      "a virtual host, chosen by the hostname of the Open; others are refused; may be given several times (default: one for all)",
      several,
    )
    .option(
      "--option <key=value>",
      "an option of [oslo_messaging_amqp] about addresses; may be given several times",
      several,
    )
    .option("--tls-cert <file>", "certificate in PEM format: listens with TLS (amqps, amqp+wss), and not in clear")
    .option("--tls-key <file>", "its private key in PEM format, not encrypted")
    .option("--tls-client-ca <file>", "clients need a certificate that one of these CAs has signed")
    .action((given: IntermediaryArguments) => run(given, terminal));
}

async function run(given: IntermediaryArguments, { print, logger, interrupted }: Terminal): Promise<void> {
  const { host } = given;
  const tls = await tlsOf(given);
  const intermediary = create(given, logger);
  const at = { host, maxConnections: MAX_CONNECTIONS, accept: intermediary.accept, tls, logger };
  const listeners: Listening[] = [];
  try {
    const tcp = await bound("--tcp", listenTcp({ ...at, port: given.tcp }));
    listeners.push(tcp);
    const ws = await bound("--ws", listenWebSocket({ ...at, port: given.ws, maxMessageBytes: MAX_WS_MESSAGE_BYTES }));
    listeners.push(ws);
    print({ tcp: tcp.port, ws: ws.port });
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
  const who = { users: users(user), tokens: token && new Set(token), sasl };
  const what = { kind, product, virtualHosts: vhost, addressing: addressing(option), logger };
  try {
    return new Intermediary({ ...what, ...who });
  } catch (cause) {
    throw new UsageError(`--sasl: ${toError(cause).message}`, { cause });
  }
}

/** A port that cannot be had is the fault of the option that asked for it. */
async function bound(option: string, listening: Promise<Listening>): Promise<Listening> {
  try {
    return await listening;
  } catch (cause) {
    throw new UsageError(`${option}: ${toError(cause).message}`, { cause });
  }
}

function users(texts: readonly string[] | undefined): ReadonlyMap<string, string> | undefined {
  return texts && new Map(texts.map(nameAndPassword));
}

/** Nothing of the text is shown: it may be the password. */
function nameAndPassword(text: string): [name: string, password: string] {
  const at = text.indexOf(":");
  if (at < 1) throw new UsageError("--user must be NAME:PASSWORD");
  return [text.slice(0, at), text.slice(at + 1)];
}

function addressing(texts: readonly string[]): Addressing {
  const options = Object.fromEntries(texts.map(keyAndValue));
  const parsed = parseOptions(options);
  const foreign = Object.keys(options).find((key) => !ADDRESSING.has(key));
  if (foreign === undefined) return parsed;
  throw new UsageError(`--option ${foreign}: an intermediary has only ${[...ADDRESSING].join(", ")}`);
}
