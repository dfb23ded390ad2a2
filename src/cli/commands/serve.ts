import type { Command } from "commander";
import { getRpcServer, Target } from "../../entry/node.js";
import { version } from "../arguments/argument-types.js";
import {
  addTransportArguments,
  connectTimeout,
  rpcTransport,
  type TransportArguments,
} from "../arguments/transport-arguments.js";
import { BuiltinEndpoint } from "../builtin-endpoint.js";
import { loadEndpoints, withTarget } from "../endpoint-module.js";
import { connect } from "../first-connection.js";
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
FILE exports one endpoint as its default, or an array of them: objects whose methods take (context, args, call).
Without it, these methods are served: echo(arg), ping(), whoami(), fail(kind), slow(secs), note(arg), counts().`;

/** `serve`: prints `{"ready":true}` once its links are attached, and serves until it is interrupted. */
export function addServeCommand(program: Command, terminal: Terminal): void {
  const command = program.command("serve").description("serve RPC requests until Ctrl-C");
  addTransportArguments(command)
    .requiredOption("--topic <topic>", "what is served")
    .requiredOption("--server <server>", "the name of this server")
    .option("--exchange <exchange>", "scope of the topic (default: openstack)")
    .option("--module <file>", "an ES module with the endpoints")
    .option("--namespace <namespace>", "of endpoints that have no target of their own")
    .option("--version <version>", "of endpoints that have no target of their own (default: 1.0)", version)
    .addOption(connectTimeout())
    .addHelpText("after", HELP)
    .action((given: ServeArguments) => serve(given, terminal));
}

async function serve(given: ServeArguments, terminal: Terminal): Promise<void> {
  const { topic, server: name, exchange } = given;
  const { interrupted, logger } = terminal;
  const endpoints = await endpointsFor(given, terminal);
  await using transport = rpcTransport(given, terminal);
  await using server = getRpcServer(transport, { topic, server: name, exchange }, endpoints, given.conf?.server);
  await connect(transport, given.connectTimeout, terminal);
  await server.start({ signal: interrupted });
  terminal.print({ ready: true });
  await aborted(interrupted);
  logger.info("waiting for what is in work; Ctrl-C again ends at once");
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
