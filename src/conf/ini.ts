import { KeyMergeStrategies, ParsingError, parse } from "js-ini";
import { ConfigurationError } from "../driver/exceptions.js";

/** What a file says, by group and key: every value that the key was given, in order. */
export type Ini = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/**
 * Reads a file of oslo.config (oslo_config/iniparser.py): `key = value` or `key: value` in groups, whose names are in lower
 * case but for DEFAULT. A line that starts with a space goes on with the value above it, after a line feed.
 *
 * @throws ConfigurationError naming the line, but not what is in it, which may be secret.
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

/** Stands for the line feed within a value: the library knows no values of several lines. */
const LINE_FEED = "\0";

/** In front of the names of groups: the library would take one called "constructor" for a member of every object. */
const MARK = "[";

/** What the library does not know, written so that it does. Every line keeps its number. */
function prepared(text: string): string {
  const lines = text.split(/\r\n|[\r\n]/).map((line) => line.trimEnd());
  let inGroup = false;
  /** Where the value began that the next line may go on with. */
  let open: number | undefined;
  for (const [at, line] of lines.entries()) {
    if (line.includes(LINE_FEED)) throw lineError(at, "is not text");
    if (line === "" || /^[#;]/.test(line)) {
      open = undefined;
    } else if (/^[ \t]/.test(line)) {
      if (open === undefined) throw lineError(at, "starts with a space, and there is no value above it to go on with");
      lines[open] += LINE_FEED + line.trimStart();
      lines[at] = "";
    } else if (line.startsWith("[")) {
      if (!/^\[.+\]$/.test(line)) throw lineError(at, "must be [GROUP], and nothing else");
      lines[at] = `[${MARK}${groupName(line.slice(1, -1))}]`;
      inGroup = true;
      open = undefined;
    } else {
      if (!inGroup) throw lineError(at, "stands before the first [GROUP]");
      if (/^[:=]/.test(line)) throw lineError(at, "has no name in front of its value");
      lines[at] = line.replace(/[:=]/, "=");
      open = at;
    }
  }
  return lines.join("\n");
}

/** As oslo compares them, and with the deployment guide's [NOTIFICATIONS], not to be taken for nova's [notifications]. */
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

/** Quotes go from the first line alone, as in oslo. */
function asWritten(value: string): string {
  const [first = "", ...others] = value.split(LINE_FEED);
  const quote = /^["']/.exec(first)?.[0];
  return [quote !== undefined && first.endsWith(quote) ? first.slice(1, -1) : first, ...others].join("\n");
}

function lineError(at: number, reason: string): ConfigurationError {
  return new ConfigurationError(`line ${at + 1}`, reason);
}
