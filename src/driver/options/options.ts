import { similarName } from "../../core/member-names.js";
import { NoSuchOptError } from "../exceptions.js";
import { checkValues, parseTexts } from "./option-rows.js";
import { type AmqpOptions, DEFAULTS, type ResolvedOptions, ROWS } from "./option-table.js";

export type { AmqpOptions, ResolvedOptions } from "./option-table.js";

export interface OptionSources {
  /** Options given in code. */
  options?: AmqpOptions | undefined;
  /** The URL's query. It overrides options given in code. */
  query?: Readonly<Record<string, string>> | undefined;
  /** Defaults of this runtime where they differ from oslo's. */
  defaults?: Partial<ResolvedOptions> | undefined;
}

/**
 * Every option with its value: from the query, else from code, else the runtime's default, else oslo's.
 *
 * @throws NoSuchOptError for an unknown name.
 * @throws ConfigurationError for an invalid value.
 */
export function resolveOptions({ options = {}, query = {}, defaults = {} }: OptionSources): ResolvedOptions {
  return { ...DEFAULTS, ...defaults, ...checkValues(ROWS, options, unknown), ...parseOptions(query) };
}

/**
 * Parses options from a URL's query, a file or the command line: text by oslo's names, times in seconds.
 *
 * @throws as resolveOptions.
 */
export function parseOptions(texts: Readonly<Record<string, string>>): Partial<ResolvedOptions> {
  return parseTexts(ROWS, texts, unknown);
}

/** Names of `[oslo_messaging_rabbit]`, by their prefixes: its table is in no bundle for AMQP 1.0 alone. */
const RABBIT_OPTION =
  /^(rabbit|kombu|amqp|heartbeat|(rpc_)?conn|direct|enable|use|ssl_enforce)_|^(ssl_version|(host|process)name)$/;

function unknown(name: string, known: readonly string[]): never {
  const similar = similarName(name, known);
  const reason = RABBIT_OPTION.test(name) ? "only supported by rabbit://" : `${UNKNOWN}${similar}`;
  throw new NoSuchOptError(name, reason);
}

const UNKNOWN = "unknown option of [oslo_messaging_amqp]";
