import { RABBIT_SCHEMES } from "../../driver/rabbit/schemes.js";
import type { Transport } from "../../entry/node.js";
import type { Terminal } from "../terminal.js";
import type { TransportArguments } from "./transport-arguments.js";

/** Help of `--exchange`. */
export const EXCHANGE = "exchange, the scope of the topic (default: the file's control_exchange, or openstack)";

/** True for a URL of AMQP 0-9-1. */
export function isRabbit({ url }: Transport): boolean {
  return RABBIT_SCHEMES.has(url.scheme);
}

/**
 * Logs which exchange is used when neither the command line nor the file names one: many services set theirs in their code,
 * so that it is in no file.
 */
export function noteExchange(
  transport: Transport,
  { exchange, conf }: TransportArguments & { exchange?: string | undefined },
  { logger }: Terminal,
): void {
  if (exchange !== undefined || conf?.rpc.options.controlExchange !== undefined || !isRabbit(transport)) return;
  logger.info("the exchange is openstack, the default; a service often sets another one in its code: see --exchange");
}
