import { KeyMergeStrategies, ParsingError, parse } from "js-ini";
import { ConfigurationError } from "../driver/exceptions.js";

/** The values of a file by group and key: all values of a repeated key, in order. */
export type Ini = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/**
 * Parses a file of oslo.config (oslo_config/iniparser.py): `key = value` or `key: value` in groups. Group names are in lower
 * case, except DEFAULT and NOTIFICATIONS. A line that starts with a space continues the value above it, after a line feed.
 *
 * @throws ConfigurationError naming the line, without its content, which may be secret.
 */
export function parseIni(text: string): Ini {
  const sections = parsed(prepared(text));
  return new Map(
    Object.entries(sections).map(([name, section]) => {
      const values = Object.entries(section).map(([key, value]) => [key, [value].flat().map(asWritten)] as const);
      return [name.slice(MARK.length), new Map(values)];
    }),
  );
}

/** Replaces the line feed within a value: js-ini does not support values of several lines. */
const LINE_FEED = "\0";

/** Prefix of group names: js-ini would mistake a group called "constructor" for the member that every object has. */
const MARK = "[";

/** Rewrites syntax that js-ini does not support. Every line keeps its number. */
function prepared(text: string): string {
  const lines = text.split(/\r\n|[\r\n]/).map((line) => line.trimEnd());
  let inGroup = false;
  /** Line of the value that the next line may continue. */
  let open: number | undefined;
  for (const [at, line] of lines.entries()) {
    if (line.includes(LINE_FEED)) throw lineError(at, "contains a NUL character");
    if (line === "" || /^[#;]/.test(line)) {
      open = undefined;
    } else if (/^[ \t]/.test(line)) {
      if (open === undefined) throw lineError(at, "starts with a space, but there is no value above to continue");
      lines[open] += LINE_FEED + line.trimStart();
      lines[at] = "";
    } else if (line.startsWith("[")) {
      if (!/^\[.+\]$/.test(line)) throw lineError(at, "must be [GROUP] and nothing else");
      lines[at] = `[${MARK}${groupName(line.slice(1, -1))}]`;
      inGroup = true;
      open = undefined;
    } else {
      if (!inGroup) throw lineError(at, "must be after a [GROUP]");
      if (/^[:=]/.test(line)) throw lineError(at, "has no key before its value");
      lines[at] = line.replace(/[:=]/, "=");
      open = at;
    }
  }
  return lines.join("\n");
}

/** Normalized as in oslo, except the deployment guide's [NOTIFICATIONS], which differs from nova's [notifications]. */
function groupName(written: string): string {
  return written === "DEFAULT" || written === "NOTIFICATIONS" ? written : written.toLowerCase();
}

type Sections = Record<string, Record<string, string | string[]>>;

function parsed(text: string): Sections {
  try {
    const options = { comment: ["#", ";"], autoTyping: false, keyMergeStrategy: KeyMergeStrategies.JOIN_TO_ARRAY };
    return parse(text, options) as Sections;
  } catch (error) {
    if (error instanceof ParsingError) throw lineError(error.lineNumber - 1, "has neither = nor :");
    throw error;
  }
}

/** The value as written. Quotes are removed from its first line only, as in oslo. */
function asWritten(value: string): string {
  const [first = "", ...others] = value.split(LINE_FEED);
  const quote = /^["']/.exec(first)?.[0];
  return [quote !== undefined && first.endsWith(quote) ? first.slice(1, -1) : first, ...others].join("\n");
}

function lineError(at: number, reason: string): ConfigurationError {
  return new ConfigurationError(`line ${at + 1}`, reason);
}
