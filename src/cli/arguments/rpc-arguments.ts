import type { Command } from "commander";
import { getRpcClient, type RPCClient, type RPCTransport } from "../../entry/node.js";
import { context, jsonObject, retries, seconds, version } from "./argument-types.js";
import { EXCHANGE } from "./exchange.js";
import { addTransportArguments, type TransportArguments } from "./transport-arguments.js";

export interface RequestArguments extends TransportArguments {
  topic: string;
  exchange?: string | undefined;
  server?: string | undefined;
  fanout?: boolean | undefined;
  namespace?: string | undefined;
  version?: string | undefined;
  /** Milliseconds. */
  timeout?: number | undefined;
  /** Milliseconds. */
  callMonitorTimeout?: number | undefined;
  retry?: number | undefined;
  context: Record<string, unknown>;
}

/** Adds the options and arguments of `call` and `cast`. */
export function addRequestArguments(command: Command): Command {
  return addTransportArguments(command)
    .requiredOption("--topic <topic>", "topic to send to")
    .option("--exchange <exchange>", EXCHANGE)
    .option("--server <server>", "only this server of the topic")
    .option("--fanout", "all servers of the topic; only for cast")
    .option("--namespace <namespace>", "namespace of the method")
    .option("--version <version>", "version of the method", version)
    .option(
      "--timeout <seconds>",
      "time limit of the command (default: the file's, or 60 for call and 30 for cast)",
      seconds,
    )
    .option("--call-monitor-timeout <seconds>", "fail if no heartbeat arrives for this long", seconds)
    .option("--retry <n>", "largest number of retries; -1: retry until the time limit", retries)
    .option("--context <json>", "context of the request, as a JSON object", context, {})
    .argument("<method>", "name of the method")
    .argument("[json-args]", "arguments by name, as a JSON object", requestArguments, {});
}

export function clientFor(transport: RPCTransport, given: RequestArguments): RPCClient {
  const { topic, exchange, server, fanout, namespace, version } = given;
  const { timeout: timeoutMs, callMonitorTimeout: callMonitorTimeoutMs, retry } = given;
  const target = { topic, exchange, server, fanout, namespace, version };
  return getRpcClient(transport, target, { timeoutMs, callMonitorTimeoutMs, retry });
}

function requestArguments(text: string): Record<string, unknown> {
  return jsonObject("JSON-ARGS", text);
}
