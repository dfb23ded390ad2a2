import type { Command } from "commander";
import { getRpcServer, Target } from "../../entry/node.js";
import { version } from "../arguments/argument-types.js";
import { EXCHANGE, noteExchange } from "../arguments/exchange.js";
import {
  addTransportArguments,
  connectTimeout,
  rpcTransport,
  type TransportArguments,
} from "../arguments/transport-arguments.js";
import { BuiltinEndpoint } from "../builtin-endpoint.js";
import { loadEndpoints, withTarget } from "../endpoint-module.js";
import { endOf } from "../first-connection.js";
import { aborted, type Terminal } from "../terminal.js";

interface ServeArguments extends TransportArguments {
  topic: string;
  server: string;
  exchange?: string | undefined;
  module?: string | undefined;
  namespace?: string | undefined;
  version?: string | undefined;
  /** Milliseconds. */
  connectTimeout: number;
}

const HELP = `
The default export of FILE is an endpoint or an array of endpoints: objects whose methods take (context, args, call).
Without --module, the methods are echo(arg), ping(), whoami(), fail(kind), slow(secs), note(arg) and counts().`;

/** `serve`: prints `{"ready":true}` once its links are attached, and serves until interrupted. */
export function addServeCommand(program: Command, terminal: Terminal): void {
  const command = program.command("serve").description("Serve RPC requests until Ctrl-C");
  addTransportArguments(command)
    .requiredOption("--topic <topic>", "topic to serve")
    .requiredOption("--server <server>", "name of this server")
    .option("--exchange <exchange>", EXCHANGE)
    .option("--module <file>", "ES module with the endpoints")
    .option("--namespace <namespace>", "namespace of endpoints without a target")
    .option("--version <version>", "version of endpoints without a target (default: 1.0)", version)
    .addOption(connectTimeout())
    .addHelpText("after", HELP)
    .action((given: ServeArguments) => serve(given, terminal));
}

async function serve(given: ServeArguments, terminal: Terminal): Promise<void> {
  const { topic, server: name, exchange } = given;
  const { interrupted, logger } = terminal;
  const endpoints = await endpointsFor(given, terminal);
  await using transport = rpcTransport(given, terminal);
  noteExchange(transport, given, terminal);
  await using server = getRpcServer(transport, { topic, server: name, exchange }, endpoints, given.conf?.server);
  const signal = endOf(transport, terminal);
  await transport.connect({ keepTrying: true, timeoutMs: given.connectTimeout, signal });
  await server.start({ signal: interrupted });
  terminal.print({ ready: true });
  await aborted(interrupted);
  logger.info("waiting for running requests to finish; press Ctrl-C again to end at once");
  await server.stop();
  await server.wait();
}

async function endpointsFor(given: ServeArguments, { logger }: Terminal): Promise<readonly object[]> {
  const { module, server, namespace, version } = given;
  const onNote = (note: unknown): void => logger.info(`note to ${server}: ${JSON.stringify(note)}`);
  const endpoints = module === undefined ? [new BuiltinEndpoint(server, onNote)] : await loadEndpoints(module);
  if (namespace === undefined && version === undefined) return endpoints;
  const target = new Target({ namespace, version: version ?? "1.0" });
  return endpoints.map((endpoint) => withTarget(endpoint, target));
}
