import { isError } from "../../core/kinds.js";
import { describeThrown } from "./remote-failure.js";

/** Depth to which causes of causes are included. */
const DEPTH = 4;
/** Longest text of a value that is not an Error, in characters. */
const LONGEST_VALUE = 500;

/** Text of any thrown value, for a log: with its stack, a remote one's own, and those of its causes. Never throws. */
export function stackText(thrown: unknown, depth = DEPTH): string {
  try {
    if (!isError(thrown)) return `${describeThrown(thrown).slice(0, LONGEST_VALUE)} (not an Error)`;
    const { stack, cause, remoteText }: Error & { remoteText?: unknown } = thrown;
    const local = stack ?? String(thrown);
    const text = remoteText === undefined ? local : `${local}\n${remoteText}`;
    return cause === undefined || depth === 0 ? text : `${text}\ncaused by: ${stackText(cause, depth - 1)}`;
  } catch {
    return "something that cannot be turned into text";
  }
}
