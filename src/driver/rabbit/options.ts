import { similarName } from "../../core/member-names.js";
import { ConfigurationError, NoSuchOptError } from "../exceptions.js";
import { checkValues, parseTexts } from "../options/option-rows.js";
import { ROWS as AMQP_ROWS } from "../options/option-table.js";
import {
  FORMER_NAMES,
  RABBIT_DEFAULTS,
  RABBIT_ROWS,
  type RabbitOptions,
  type ResolvedRabbitOptions,
} from "./option-table.js";

export interface RabbitOptionSources {
  /** Options given in code. */
  options?: RabbitOptions | undefined;
  /** The URL's query. It overrides options given in code. */
  query?: Readonly<Record<string, string>> | undefined;
}

/**
 * Every option with its value: from the query, else from code, else oslo's default.
 *
 * @throws NoSuchOptError for an unknown name.
 * @throws ConfigurationError for an invalid value, and for options that exclude each other.
 */
export function resolveRabbitOptions({ options = {}, query = {} }: RabbitOptionSources): ResolvedRabbitOptions {
  const resolved = {
    ...RABBIT_DEFAULTS,
    ...checkValues(CODE_ROWS, options, unknown),
    ...parseRabbitOptions(query),
  };
  const { rabbitHaQueues, rabbitQuorumQueue, rabbitTransientQuorumQueue } = resolved;
  if (rabbitHaQueues && (rabbitQuorumQueue || rabbitTransientQuorumQueue)) {
    const other = rabbitQuorumQueue ? "rabbit_quorum_queue" : "rabbit_transient_quorum_queue";
    throw new ConfigurationError(
      "rabbit_ha_queues",
      `cannot be combined with ${other}: quorum queues are not mirrored`,
    );
  }
  return resolved;
}

/**
 * Parses options from a URL's query, a file or the command line: text by oslo's names, times in seconds. A present name
 * overrides its former one.
 *
 * @throws NoSuchOptError for an unknown name.
 * @throws ConfigurationError for an invalid value.
 */
export function parseRabbitOptions(texts: Readonly<Record<string, string>>): Partial<ResolvedRabbitOptions> {
  const former = Object.entries(texts).filter(([name]) => FORMER_NAMES.has(name));
  if (former.length === 0) return parseTexts(RABBIT_ROWS, texts, unknown);
  const present = Object.entries(texts).filter(([name]) => !FORMER_NAMES.has(name));
  return {
    ...parseTexts(FORMER_ROWS, Object.fromEntries(former), unknown),
    ...parseTexts(RABBIT_ROWS, Object.fromEntries(present), unknown),
  };
}

/** Warnings about options that were changed and have no effect. */
export function rabbitWarnings(options: ResolvedRabbitOptions): readonly string[] {
  const warnings = RABBIT_ROWS.flatMap(([key, { name, ignored }]) => {
    const named = key as keyof ResolvedRabbitOptions;
    return ignored === undefined || options[named] === RABBIT_DEFAULTS[named] ? [] : [`${name} is ignored: ${ignored}`];
  });
  const mirrored = "rabbit_ha_queues has no effect: RabbitMQ 3.0 and later mirrors queues by policy only";
  return options.rabbitHaQueues ? [...warnings, mirrored] : warnings;
}

const CODE_ROWS = RABBIT_ROWS.filter(([, { ignored }]) => ignored === undefined);

const FORMER_ROWS = [...FORMER_NAMES].flatMap(([former, present]) =>
  RABBIT_ROWS.filter(([, { name }]) => name === present).map(([key, row]) => [key, { ...row, name: former }] as const),
);

function unknown(name: string, known: readonly string[]): never {
  const [, row] = RABBIT_ROWS.find(([key]) => key === name) ?? [];
  if (row?.ignored !== undefined) throw new NoSuchOptError(name, `is for URLs and files, where it has no effect`);
  if (AMQP_ROWS.some(([key, other]) => key === name || other.name === name)) {
    throw new NoSuchOptError(name, "only supported by amqp://");
  }
  throw new NoSuchOptError(name, `unknown option of [oslo_messaging_rabbit]${similarName(name, known)}`);
}
