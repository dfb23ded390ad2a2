import type { Command } from "commander";
import { getRpcClient, type RPCClient, type RPCTransport } from "../../entry/node.js";
import { context, jsonObject, retries, seconds, version } from "./argument-types.js";
import { addTransportArguments, type TransportArguments } from "./transport-arguments.js";

export interface RequestArguments extends TransportArguments {
  topic: string;
  exchange?: string | undefined;
  server?: string | undefined;
  fanout?: boolean | undefined;
  namespace?: string | undefined;
  version?: string | undefined;
  /** Milliseconds, as the next one. */
  timeout?: number | undefined;
  callMonitorTimeout?: number | undefined;
  retry?: number | undefined;
  context: Record<string, unknown>;
}

/** What `call` and `cast` take. */
export function addRequestArguments(command: Command): Command {
  return addTransportArguments(command)
    .requiredOption("--topic <topic>", "whom it is for")
    .option("--exchange <exchange>", "scope of the topic (default: openstack)")
    .option("--server <server>", "one server of the topic")
    .option("--fanout", "every server of the topic; for cast")
    .option("--namespace <namespace>", "of the method")
    .option("--version <version>", "of the method", version)
    .option(
      "--timeout <seconds>",
      "how long all of it may take (default: the file's, or 60 for call and 30 for cast)",
      seconds,
    )
    .option(
      "--call-monitor-timeout <seconds>",
      "how long the server may be silent; it tells when it is still at work",
      seconds,
    )
    .option("--retry <n>", "send again at most n times; -1: until the time is up", retries)
    .option("--context <json>", "a JSON object that goes with the request", context, {})
    .argument("<method>", "its name")
    .argument("[json-args]", "its arguments by name, as a JSON object", requestArguments, {});
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
