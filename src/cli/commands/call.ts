import type { Command } from "commander";
import { noteExchange } from "../arguments/exchange.js";
import { addRequestArguments, clientFor, type RequestArguments } from "../arguments/rpc-arguments.js";
import { rpcTransport } from "../arguments/transport-arguments.js";
import { endOf } from "../first-connection.js";
import type { Terminal } from "../terminal.js";

/** `call`: prints the result, or `null` if the method returned nothing. */
export function addCallCommand(program: Command, terminal: Terminal): void {
  const command = program.command("call").description("Call a method and print its result as JSON");
  addRequestArguments(command).action(async (method: string, args: object, given: RequestArguments) => {
    await using transport = rpcTransport(given, terminal);
    noteExchange(transport, given, terminal);
    const client = clientFor(transport, given);
    const result = await client.call(given.context, method, args, { signal: endOf(transport, terminal) });
    terminal.print(result ?? null);
  });
}
