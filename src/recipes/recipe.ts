import type { ResolvedOptions } from "../driver/options/options.js";

export interface RecipeInit<O = ResolvedOptions> {
  /** The options that shape addresses, exchanges and queues must be the same for the intermediary and for all its clients. */
  options: O;
  /** The interface to listen on. */
  host: string;
  /** The port for AMQP over TCP. */
  port: number;
  /** The port for AMQP over WebSocket, if the intermediary supports it. Default: the intermediary's usual port. */
  wsPort?: number | undefined;
  /** Whether clients connect without a password. */
  anonymous: boolean;
}

/**
 * Returns an intermediary's configuration: one complete file, with notes for the operator.
 *
 * @throws ConfigurationError, naming the option, for addresses that the intermediary does not support.
 */
export type Recipe<O = ResolvedOptions> = (init: RecipeInit<O>) => string;

/** Default port of the WebSocket listener. */
export const WS_PORT = 5673;

/** The operator's note on a configuration without passwords. */
export const ANONYMOUS_NOTE = "Clients connect without a password: only for hosts that untrusted clients cannot reach.";

/** Turns each line of a text into a comment, without the indentation that all lines share. */
export function comment(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const shared = Math.min(...lines.map((line) => line.search(/\S/)));
  return lines.map((line) => `# ${line.slice(shared)}`).join("\n");
}
