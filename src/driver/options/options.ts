import { NoSuchOptError } from "../exceptions.js";
import { type AmqpOptions, DEFAULTS, type ResolvedOptions, ROWS } from "./option-table.js";

export type { AmqpOptions, ResolvedOptions } from "./option-table.js";

export interface OptionSources {
  /** What the code gave. */
  options?: AmqpOptions | undefined;
  /** The URL's query, which goes before what the code gave. */
  query?: Readonly<Record<string, string>> | undefined;
  /** Defaults of this runtime, where they are not oslo's. */
  defaults?: Partial<ResolvedOptions> | undefined;
}

/** @throws NoSuchOptError for an unknown name, ConfigurationError for a bad value. */
export function resolveOptions({ options = {}, query = {}, defaults = {} }: OptionSources): ResolvedOptions {
  return { ...DEFAULTS, ...defaults, ...checkOptions(options), ...parseOptions(query) };
}

/** Options as text, by oslo's names, times in seconds: a URL's query, a file, the command line. Throws as resolveOptions. */
export function parseOptions(texts: Readonly<Record<string, string>>): Partial<ResolvedOptions> {
  const parsed = Object.entries(texts).map(([name, text]) => {
    const [key, { type }] = ROWS.find(([, row]) => row.name === name) ?? unknown(name);
    return [key, type.parse(name, text)];
  });
  return Object.fromEntries(parsed);
}

/** What a caller without types may have written wrongly. */
function checkOptions(options: AmqpOptions): Partial<ResolvedOptions> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const checked = given.map(([name, value]) => {
    const [key, { type, inCode }] = ROWS.find(([key]) => key === name) ?? unknown(name);
    if (inCode !== undefined) throw new NoSuchOptError(name, `is for URLs and files: in code it is ${inCode}`);
    return [key, type.check(name, value)];
  });
  return Object.fromEntries(checked);
}

/** Options of rabbit:// that the deployment guide of this driver names: they do not act here. */
export const RABBIT_OPTIONS = ["amqp_durable_queues", "amqp_auto_delete"];

function unknown(name: string): never {
  const reason = RABBIT_OPTIONS.includes(name) ? "this option is of rabbit://, and does not act here" : NO_SUCH;
  throw new NoSuchOptError(name, reason);
}

const NO_SUCH = "there is no such option of [oslo_messaging_amqp]";
