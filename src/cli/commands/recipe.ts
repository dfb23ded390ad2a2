import { Argument, type Command, InvalidArgumentError } from "commander";
import { resolveOptions } from "../../driver/options/options.js";
import type { Recipe } from "../../recipes/recipe.js";
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
    .description("Print an intermediary's configuration file for the addresses that these options produce")
    .addArgument(new Argument("<intermediary>", NAMES).argParser(recipeNamed))
    .option("--option <key=value>", "option of [oslo_messaging_amqp]; may be repeated", several)
    .option("--host <host>", "interface to listen on", host, "127.0.0.1")
    .option("--port <port>", "port for AMQP over TCP", port, 5_672)
    .option("--ws-port <port>", "port for AMQP over WebSocket (default: 5673; artemis: the value of --port)", port)
    .option("--anonymous", "access without a password")
    .action((recipe: Recipe, { option = [], host, port, wsPort, anonymous = false }: RecipeArguments) => {
      const options = resolveOptions({ query: Object.fromEntries(option.map(keyAndValue)) });
      terminal.write(recipe({ options, host, port, wsPort, anonymous }));
    });
}

const NAMES = [...RECIPES.keys()].join(", ");

function recipeNamed(name: string): Recipe {
  const recipe = RECIPES.get(name);
  if (recipe !== undefined) return recipe;
  throw new InvalidArgumentError(`Must be one of ${NAMES}`);
}
