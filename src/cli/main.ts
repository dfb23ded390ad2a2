#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { addCallCommand } from "./commands/call.js";
import { addCastCommand } from "./commands/cast.js";
import { addCheckCommand } from "./commands/check.js";
import { addIntermediaryCommand } from "./commands/intermediary.js";
import { addListenCommand } from "./commands/listen.js";
import { addNotifyCommand } from "./commands/notify.js";
import { addRecipeCommand } from "./commands/recipe.js";
import { addRelayCommand } from "./commands/relay.js";
import { addServeCommand } from "./commands/serve.js";
import { describeError, EXIT_STATUS_HELP, exitStatus } from "./exit-status.js";
import { flushed, processTerminal } from "./terminal.js";

const terminal = processTerminal();
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const program = new Command("oslo-messaging")
  .description("RPC and notifications of OpenStack's oslo.messaging, over AMQP 1.0 or RabbitMQ. Times are in seconds.")
  .version(version, "--version", "print the version of this package")
  .enablePositionalOptions() // call and cast have a --version of their own
  .addHelpText("afterAll", EXIT_STATUS_HELP)
  .exitOverride();
addIntermediaryCommand(program, terminal);
addServeCommand(program, terminal);
addCallCommand(program, terminal);
addCastCommand(program, terminal);
addNotifyCommand(program, terminal);
addListenCommand(program, terminal);
addCheckCommand(program, terminal);
addRecipeCommand(program, terminal);
addRelayCommand(program, terminal);

const status = await run();
await flushed();
process.exit(status); // timers of a served module must not keep the process alive

async function run(): Promise<number> {
  try {
    await program.parseAsync();
    return 0;
  } catch (error) {
    // commander has printed its own errors
    if (!(error instanceof CommanderError)) process.stderr.write(`${describeError(error)}\n`);
    return exitStatus(error);
  }
}
