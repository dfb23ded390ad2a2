/** How many causes of causes are told. */
const DEPTH = 4;

/** Whatever was thrown, for a log: with its stack and those of its causes. Never throws itself. */
export function stackText(thrown: unknown, depth = DEPTH): string {
  try {
    if (!(thrown instanceof Error)) return `${String(thrown)} (not an Error)`;
    const { stack, cause } = thrown;
    const own = stack ?? String(thrown);
    return cause === undefined || depth === 0 ? own : `${own}\ncaused by: ${stackText(cause, depth - 1)}`;
  } catch {
    return "something that cannot be turned into text";
  }
}
