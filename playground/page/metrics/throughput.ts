import type { Frame } from "oslo-messaging";

/** Number of seconds in the chart. */
export const SECONDS = 60;

export interface Rates {
  /** Messages in each of the last 60 seconds, oldest first. Excludes the current second, which is incomplete. */
  in: number[];
  out: number[];
}

/** Counts the messages in and out in each of the last seconds. */
export class Throughput {
  /** Counts by second. */
  readonly #seconds = new Map<number, { in: number; out: number }>();

  /** Counts a message by its last transfer frame, over AMQP 0-9-1 by its content header. Ignores all other frames. */
  add({ performative, direction, fields }: Frame, nowMs: number): void {
    const isLastTransfer = performative === "transfer" && Reflect.get(fields, "more") !== true;
    if (!isLastTransfer && performative !== "content-header") return;
    const second = Math.floor(nowMs / 1_000);
    let counts = this.#seconds.get(second);
    if (counts === undefined) {
      counts = { in: 0, out: 0 };
      this.#seconds.set(second, counts);
      for (const old of this.#seconds.keys()) if (old < second - SECONDS) this.#seconds.delete(old);
    }
    counts[direction] += 1;
  }

  rates(nowMs: number): Rates {
    const first = Math.floor(nowMs / 1_000) - SECONDS;
    const seconds = Array.from({ length: SECONDS }, (_, index) => this.#seconds.get(first + index));
    return { in: seconds.map((counts) => counts?.in ?? 0), out: seconds.map((counts) => counts?.out ?? 0) };
  }
}

/** Returns the counts of the last second and the last minute, as a sentence. */
export function describeRates(rates: Rates): string {
  const of = (counts: readonly number[], way: string): string => {
    const sum = counts.reduce((total, count) => total + count, 0);
    return `${way} ${counts.at(-1) ?? 0} in the last second, ${sum.toLocaleString("en")} in the last minute`;
  };
  return `Messages ${of(rates.in, "in:")}; ${of(rates.out, "out:")}`;
}
