import type { Target } from "../../entry/node.js";

/** The result of one check. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** The observed result. */
  readonly detail: string;
  /** The remedy for a failed check. */
  readonly advice?: string | undefined;
}

export interface Checks {
  readonly checks: readonly Check[];
  /** Facts that fail no check but matter to the operator. */
  readonly warnings: readonly string[];
}

/** The result of `check`. */
export interface Findings extends Checks {
  /** The report on the connection, for `--json`. */
  readonly report: object;
  /** The report on the connection as text: name and fact. */
  readonly facts: Readonly<Record<string, string>>;
}

/** What to check, and how long. */
export interface CheckInit {
  /** The target to check as well. */
  target: Target | undefined;
  /** Time limit of each check. */
  timeoutMs: number;
  signal: AbortSignal;
}

export interface CheckLimits {
  /** Time limit of the whole trial. */
  timeoutMs: number;
  /** Time to wait for further copies after the expected messages have arrived or the time limit has passed. */
  quietMs: number;
  signal: AbortSignal;
}

/** Shortest time to wait for further copies after the expected messages. Later copies are not counted. */
const QUIET_MS = 300;

export function limitsFor({ timeoutMs, signal }: CheckInit, { roundTripMs }: { roundTripMs: number }): CheckLimits {
  return { timeoutMs, quietMs: Math.max(QUIET_MS, 3 * roundTripMs), signal };
}

/** The findings as text. Advice that several checks share is printed once. */
export function textOf({ facts, checks, warnings }: Findings): string {
  const width = Math.max(...Object.keys(facts).map((name) => name.length));
  const advice = new Set(checks.flatMap(({ advice }) => advice ?? []));
  const lines = [
    ...Object.entries(facts).map(([name, fact]) => `${name.padEnd(width)} ${fact}`),
    "",
    ...checks.map(({ name, ok, detail }) => `${ok ? "ok   " : "WRONG"} ${name}: ${detail}`),
    ...[...advice].flatMap((text) => ["", text]),
    ...warnings.flatMap((warning) => ["", `warning: ${warning}`]),
  ];
  return `${lines.join("\n")}\n`;
}

/** The facts that both protocols have. */
export function peerFacts(report: {
  host: string;
  encrypted: boolean;
  mechanism: string;
  product: string | undefined;
  version: string | undefined;
}): Record<"host" | "encrypted" | "mechanism" | "product", string> {
  return {
    host: report.host,
    encrypted: report.encrypted ? "yes" : "no",
    mechanism: report.mechanism || "none",
    product: [report.product ?? "unknown", report.version].join(" ").trimEnd(),
  };
}

export function roundTrip({ roundTripMs }: { roundTripMs: number }): string {
  return `${roundTripMs.toFixed(1)} ms`;
}

/** The judgement of copies that two listeners got, of a message for both or for one of them; undefined when it is right. */
export function miscount(first: number, second: number, toAll: boolean): string | undefined {
  if (toAll ? first === 1 && second === 1 : first + second === 1) return undefined;
  if (first + second === 1) return "only one of two listeners got the message";
  if (first === 1 && second === 1) return "both listeners got the message";
  return `the two listeners got ${first} and ${second} copies of the message`;
}
