import { isRecord, kindOf } from "./kinds.js";

/** Reason to refuse the members of an object, after its name: not an object, or an unknown member. Undefined if there is none. */
export function wrongMembers(given: unknown, known: readonly string[]): string | undefined {
  if (!isRecord(given)) return `must be an object { ${known.join(", ")} }, not ${kindOf(given)}`;
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  return unknown && `has an unknown member ${unknown}${similarName(unknown, known)}`;
}

/**
 * Question for an error about an unknown name: ", did you mean timeoutMs (milliseconds)?". Empty when none of the known names
 * is similar. `publisher_id` is similar to publisherId, `timeout` to timeoutMs, `retries` to retry.
 */
export function similarName(name: string, known: readonly string[]): string {
  const given = bare(name);
  const found =
    known.find((other) => bare(other) === given) ??
    known.find((other) => given.length > 2 && bare(other).includes(given)) ??
    known.find((other) => bare(other).length > 3 && given.includes(bare(other)));
  if (found === undefined) return "";
  return `, did you mean ${found}${found.endsWith("Ms") ? " (milliseconds)" : ""}?`;
}

function bare(name: string): string {
  return name
    .toLowerCase()
    .replace(/ies$/, "y")
    .replace(/_|ms$|s$/g, "");
}
