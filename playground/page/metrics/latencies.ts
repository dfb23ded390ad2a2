/** Lower bounds of the histogram's bars, in milliseconds; the last bar has no upper bound. */
export const BOUNDS_MS = [0, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000] as const;

const MOST_SAMPLES = 10_000;

/** Durations of the latest 10,000 calls. */
export class Latencies {
  #samples: number[] = [];

  add(ms: number): void {
    this.#samples.push(ms);
    if (this.#samples.length >= 2 * MOST_SAMPLES) this.#samples = this.#samples.slice(-MOST_SAMPLES);
  }

  clear(): void {
    this.#samples = [];
  }

  /** Counts the calls between each bound (inclusive) and the next. */
  histogram(): number[] {
    const counts = BOUNDS_MS.map(() => 0);
    for (const ms of this.#latest()) {
      const index = BOUNDS_MS.findLastIndex((bound) => ms >= bound);
      counts[index] = (counts[index] ?? 0) + 1;
    }
    return counts;
  }

  /** Returns the number of calls, their median, percentiles and maximum, as a sentence. */
  summary(): string {
    const sorted = this.#latest().toSorted((a, b) => a - b);
    if (sorted.length === 0) return "No calls yet. Send calls here, or call in the RPC tab.";
    const at = (share: number): string =>
      `${(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1)} ms`;
    const calls = sorted.length === 1 ? "1 call" : `${sorted.length.toLocaleString("en")} calls`;
    return `${calls}: median ${at(0.5)}, 95% within ${at(0.95)}, 99% within ${at(0.99)}, slowest ${at(1)}`;
  }

  #latest(): readonly number[] {
    return this.#samples.slice(-MOST_SAMPLES);
  }
}
