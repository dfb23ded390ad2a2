import { type Command, Option } from "commander";
import { authority } from "../../core/authority.js";
import type { Logger } from "../../core/logger.js";
import { isLoopback } from "../../driver/options/hosts.js";
import { Relay, type RelayCounts } from "../../relay/relay.js";
import {
  count,
  type HostAndPort,
  listenAddress,
  seconds,
  several,
  targetAddress,
} from "../arguments/argument-types.js";
import { bound, localHost, origin } from "../arguments/listener-arguments.js";
import { type TargetTlsArguments, type TlsArguments, targetTlsOf, tlsOf } from "../arguments/tls-arguments.js";
import { UsageError } from "../exit-status.js";
import { aborted, type Terminal } from "../terminal.js";

interface RelayArguments extends TlsArguments, TargetTlsArguments {
  listen: HostAndPort;
  to: HostAndPort;
  origin?: readonly string[] | undefined;
  maxConnections: number;
  /** Milliseconds. */
  idleTimeout: number;
}

const LISTEN = "127.0.0.1:15673";

/** `relay`: prints its port once it listens, as `{"ws":PORT}`, and logs what it relays, and its counters at the end. */
export function addRelayCommand(program: Command, terminal: Terminal): void {
  program
    .command("relay")
    .description(
      "Carry bytes between WebSockets (sub-protocol amqp, any path) and one TCP address until Ctrl-C: a way into RabbitMQ and " +
        "qpidd for browsers. Credentials pass it in clear text unless TLS is on",
    )
    .addOption(listenOption())
    .requiredOption("--to <host:port>", "TCP address of the message bus", targetAddress)
    .option(
      "--origin <url>",
      "origin of pages that may connect, besides those from loopback: https://console.example.org; may be repeated; required " +
        "beyond loopback",
      several,
    )
    .option("--tls-cert <file>", "certificate in PEM format; listens only with TLS (rabbit+wss, amqp+wss)")
    .option("--tls-key <file>", "private key of the certificate in PEM format, not encrypted")
    .option("--to-tls", "connect to the message bus with TLS")
    .option("--to-ca <file>", "CAs of the message bus in PEM format (default: those of Node)")
    .option("--to-cert <file>", "client certificate for the message bus in PEM format")
    .option("--to-key <file>", "private key of the client certificate in PEM format, not encrypted")
    .option(
      "--to-name <name>",
      "name in the certificate of the message bus, also sent as SNI (default: the host of --to)",
    )
    .option("--max-connections <n>", "largest number of connections; further ones are refused", count, 1_000)
    .addOption(idleTimeout())
    .action((given: RelayArguments) => run(given, terminal));
}

async function run(given: RelayArguments, { print, logger, interrupted }: Terminal): Promise<void> {
  const { listen, to, maxConnections, idleTimeout } = given;
  const origins = given.origin?.map(origin);
  if (origins === undefined && !isLoopback({ address: listen })) {
    throw new UsageError(
      `--listen ${authority(listen)}: beyond loopback --origin is required, the origin of the pages that may connect`,
    );
  }
  const tls = await tlsOf(given);
  const toTls = await targetTlsOf(given);
  const relay = await bound(
    "--listen",
    Relay.start({
      host: listen.hostname,
      port: listen.port,
      to: { scheme: toTls === undefined ? "amqp" : "amqps", ...to, tls: toTls, serverName: given.toName },
      maxConnections,
      idleTimeoutMs: idleTimeout,
      origins,
      tls,
      logger,
    }),
  );
  print({ ws: relay.port });
  const at = authority({ hostname: localHost(listen.hostname), port: relay.port });
  logger.info(`relaying ws${tls === undefined ? "" : "s"}://${at}/ to ${authority(to)}`);
  noteClearText(given, logger);
  await aborted(interrupted);
  await relay.close();
  logger.info(summary(relay.counts));
}

/** Logs between which ends credentials pass in clear text, as a warning if they leave this machine. */
function noteClearText({ listen, tlsCert, to, toTls }: RelayArguments, logger: Logger): void {
  const sections = [
    {
      between: "clients and this relay",
      encrypted: tlsCert !== undefined,
      near: listen,
      cure: "--tls-cert and --tls-key",
    },
    { between: `this relay and ${authority(to)}`, encrypted: toTls === true, near: to, cure: "--to-tls" },
  ];
  const clear = sections.filter(({ encrypted }) => !encrypted);
  const far = clear.filter(({ near }) => !isLoopback({ address: near }));
  if (far.length > 0) {
    const between = far.map((section) => `between ${section.between}`).join(", and ");
    logger.warn(`credentials pass in clear text ${between}: use ${far.map(({ cure }) => cure).join(", and ")}`);
  } else if (clear.length > 0) {
    logger.info("credentials pass in clear text, on this machine only");
  }
}

function summary({ connections, bytesFromClients, bytesFromTarget, failed, refused }: RelayCounts): string {
  const { origin, subprotocol, limit } = refused;
  const relayed = `${bytesFromClients} bytes from clients, ${bytesFromTarget} bytes to clients`;
  return (
    `relayed ${connections} connection${connections === 1 ? "" : "s"} (${failed} failed), ${relayed}; refused ${origin + subprotocol + limit} ` +
    `(${origin} by origin, ${subprotocol} without sub-protocol, ${limit} over the limit)`
  );
}

function listenOption(): Option {
  const option = new Option("--listen <host:port>", "address to listen on; port 0: any free port");
  return option.argParser(listenAddress).default(listenAddress(LISTEN), LISTEN);
}

function idleTimeout(): Option {
  const option = new Option("--idle-timeout <seconds>", "end a connection on which no bytes move for this long");
  return option.argParser(seconds).default(3_600_000, "3600");
}
