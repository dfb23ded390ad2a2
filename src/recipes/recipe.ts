import type { ResolvedOptions } from "../driver/options/options.js";

export interface RecipeInit {
  /** Those that shape addresses have to be the same for the intermediary and for everyone who connects to it. */
  options: ResolvedOptions;
  /** The interface to listen on. */
  host: string;
  /** For AMQP over TCP. */
  port: number;
  /** For AMQP over WebSocket, where the intermediary has that. Absent: what is usual for it. */
  wsPort?: number | undefined;
  /** Everybody may connect, without a password. */
  anonymous: boolean;
}

/**
 * Makes an intermediary's configuration: one whole file, with notes for the operator.
 *
 * @throws ConfigurationError for addresses that the intermediary cannot do, naming the option.
 */
export type Recipe = (init: RecipeInit) => string;

/** Where a WebSocket listener, or the relay for one, listens unless it is told. */
export const WS_PORT = 5673;

/** Lines of text, less the indentation that they share, as comments. */
export function comment(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const shared = Math.min(...lines.map((line) => line.search(/\S/)));
  return lines.map((line) => `# ${line.slice(shared)}`).join("\n");
}
