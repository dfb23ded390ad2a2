import type { TLSOptions } from "../core/byte-stream.js";
import { ConfigurationError } from "../driver/exceptions.js";
import type { Rows } from "../driver/options/option-rows.js";
import type { ReadFile, SslTexts } from "../driver/options/tls.js";
import type { TransportOptions } from "../driver/options/transport-options.js";
import type { TransportURL } from "../driver/options/transport-url.js";
import { type DriverGroup, formerPlaces, isTlsOption } from "./driver-groups.js";
import { label, type OptionFile } from "./option-file.js";

/** The options of a driver's group, as a transport accepts them. */
export interface DriverSection {
  readonly options: Pick<TransportOptions, "amqp" | "rabbit" | "webSocket">;
  readonly ssl: SslTexts;
}

/**
 * The options of a group, and those of its successor that a file has.
 *
 * @throws ConfigurationError naming group and key.
 */
export function driverSection(group: DriverGroup, file: OptionFile): DriverSection {
  const given = optionsIn(group, file);
  const { wsPath, ...ssl } = valuesOf(given.filter(({ row }) => row.inCode !== undefined)) as TextOptions;
  const webSocket = wsPath === undefined ? undefined : { path: wsPath };
  const { successor } = group;
  const later = successor === undefined ? [] : inCode(optionsIn(successor, file));
  return {
    options: {
      [group.driver]: valuesOf(inCode(given)),
      ...(successor !== undefined && later.length > 0 && { [successor.driver]: valuesOf(later) }),
      webSocket,
    },
    ssl,
  };
}

/**
 * Warnings about options that have no effect, unless they have their default.
 *
 * @throws as driverSection.
 */
export function optionsWithoutEffect(group: DriverGroup, file: OptionFile): readonly string[] {
  return optionsIn(group, file).flatMap((option) =>
    option.row.ignored === undefined || hasDefault(option) ? [] : [`${option.where} is ignored: ${option.row.ignored}`],
  );
}

/**
 * Warnings about the options of TLS, unless they have their default: the scheme of an address in the place of the file's
 * decides about TLS.
 *
 * @param key the caller's option with that address.
 * @throws as driverSection.
 */
export function unusedTlsOptions(group: DriverGroup, file: OptionFile, key: string): readonly string[] {
  const unused = optionsIn(group, file).filter(
    (option) => option.row.ignored === undefined && isTlsOption(group, option.row.name) && !hasDefault(option),
  );
  return unused.map(({ where }) => `${where} is ignored: the scheme of ${key} decides about TLS`);
}

/** Options for URLs and files only. */
type TextOptions = SslTexts & { readonly wsPath?: string | undefined };

interface GivenOption {
  readonly key: string;
  readonly row: Rows[number][1];
  /** `[group] key` of the place that is used. */
  readonly where: string;
  readonly value: unknown;
}

/** The options of the group that the file has. */
function optionsIn(group: DriverGroup, file: OptionFile): readonly GivenOption[] {
  return group.rows.flatMap(([key, row]) => {
    const places = [[group.name, row.name] as const, ...formerPlaces(group, row.name)];
    const texts = file.texts(...places);
    if (texts.length === 0) return [];
    const where = file.label(...places);
    // pre_settled may be repeated. Of other repeated options the last value is used.
    const text = row.name === "pre_settled" ? texts.join(",") : (texts.at(-1) ?? "");
    return [{ key, row, where, value: row.type.parse(where, text) }];
  });
}

/** The options that code has, too. */
function inCode(options: readonly GivenOption[]): readonly GivenOption[] {
  return options.filter(({ row }) => row.inCode === undefined && row.ignored === undefined);
}

function hasDefault({ row: { name, type, default: text = "" }, value }: GivenOption): boolean {
  return value === type.parse(name, text);
}

function valuesOf(options: readonly GivenOption[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(options.map(({ key, value }) => [key, value]));
}

/**
 * The TLS options of the file, overridden by the URL's query; undefined disables TLS. Without ssl_* options in the file the
 * result is undefined too: the transport reads the query itself.
 */
export function tlsFor(
  url: TransportURL,
  group: DriverGroup,
  ssl: SslTexts,
  readFile: ReadFile | undefined,
): TLSOptions | undefined {
  const given = Object.entries(ssl).filter(([, value]) => value !== undefined);
  if (given.length === 0) return undefined;
  const inQuery = Object.entries(url.query).filter(([name]) => isTlsOption(group, name));
  const texts = { ...Object.fromEntries(given), ...group.parse(Object.fromEntries(inQuery)) };
  try {
    return group.tlsOf({ scheme: url.scheme, texts, code: undefined, readFile, supportedTlsOptions: undefined });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new ConfigurationError(label(group.name, error.key), error.message.slice(`${error.key}: `.length));
  }
}
