import { Argument, type Command, InvalidArgumentError } from "commander";
import { resolveOptions } from "../../driver/options/options.js";
import { resolveRabbitOptions } from "../../driver/rabbit/options.js";
import { rabbitmq } from "../../recipes/rabbitmq.js";
import type { RecipeInit } from "../../recipes/recipe.js";
import { RECIPES } from "../../recipes/recipes.js";
import { host, port, several } from "../arguments/argument-types.js";
import { keyAndValue } from "../arguments/transport-arguments.js";
import type { Terminal } from "../terminal.js";

interface RecipeArguments {
  option?: readonly string[] | undefined;
  host: string;
  port: number;
  wsPort?: number | undefined;
  anonymous?: boolean | undefined;
}

/** `recipe`: prints an intermediary's configuration file. */
export function addRecipeCommand(program: Command, terminal: Terminal): void {
  program
    .command("recipe")
    .description("Print an intermediary's configuration file for the addresses or queues that these options produce")
    .addArgument(new Argument("<intermediary>", NAMES).argParser(recipeNamed))
    .option(
      "--option <key=value>",
      "option of [oslo_messaging_amqp], or of [oslo_messaging_rabbit] for rabbitmq; may be repeated",
      several,
    )
    .option("--host <host>", "interface to listen on", host, "127.0.0.1")
    .option("--port <port>", "port for AMQP over TCP", port, 5_672)
    .option("--ws-port <port>", "port for AMQP over WebSocket (default: 5673; artemis: the value of --port)", port)
    .option("--anonymous", "access without a password")
    .action((print: Print, { option = [], host, port, wsPort, anonymous = false }: RecipeArguments) => {
      terminal.write(print(Object.fromEntries(option.map(keyAndValue)), { host, port, wsPort, anonymous }));
    });
}

/** Prints a recipe for options by oslo's names. */
type Print = (query: Readonly<Record<string, string>>, place: Omit<RecipeInit, "options">) => string;

const PRINTS: ReadonlyMap<string, Print> = new Map<string, Print>([
  ...[...RECIPES].map(
    ([name, recipe]) =>
      [name, (query, place) => recipe({ ...place, options: resolveOptions({ query }) })] as [string, Print],
  ),
  ["rabbitmq", (query, place) => rabbitmq({ ...place, options: resolveRabbitOptions({ query }) })],
]);

const NAMES = [...PRINTS.keys()].join(", ");

function recipeNamed(name: string): Print {
  const print = PRINTS.get(name);
  if (print !== undefined) return print;
  throw new InvalidArgumentError(`Must be one of ${NAMES}`);
}
