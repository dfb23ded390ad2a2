import type { Command } from "commander";
import { LONGEST_TIMER_MS } from "../../core/timers.js";
import { noteExchange } from "../arguments/exchange.js";
import { addRequestArguments, clientFor, type RequestArguments } from "../arguments/rpc-arguments.js";
import { sendTimeoutMs } from "../arguments/send-timeout.js";
import { rpcTransport } from "../arguments/transport-arguments.js";
import { endOf } from "../first-connection.js";
import type { Terminal } from "../terminal.js";

/** `cast`: prints nothing, because a cast gets no reply. */
export function addCastCommand(program: Command, terminal: Terminal): void {
  const command = program.command("cast").description("Send a request that gets no reply");
  addRequestArguments(command).action(async (method: string, args: object, given: RequestArguments) => {
    await using transport = rpcTransport(given, terminal);
    if (given.fanout !== true) noteExchange(transport, given, terminal);
    const limits = { timeoutMs: sendTimeoutMs(transport, given.timeout), signal: endOf(transport, terminal) };
    await clientFor(transport, given).cast(given.context, method, args, limits);
    // A fanout may still wait for a receiver. It leaves, or is discarded at its time limit.
    await transport.close({ graceMs: LONGEST_TIMER_MS });
    terminal.interrupted.throwIfAborted();
  });
}
