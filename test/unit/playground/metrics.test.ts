import { describe, expect, it } from "vitest";
import { BOUNDS_MS, Latencies } from "@/playground/page/metrics/latencies.js";
import { describeRates, SECONDS, Throughput } from "@/playground/page/metrics/throughput.js";
import type { Frame } from "@/src/core/frames/frame-log.js";

describe("the latencies of the playground", () => {
  it("fall between the bounds, the lower one included", () => {
    const latencies = new Latencies();
    for (const ms of [0.1, 1, 1.9, 2, 70_000]) latencies.add(ms);
    const counts = latencies.histogram();
    const bounds: readonly number[] = BOUNDS_MS;
    const at = (bound: number): number | undefined => counts[bounds.indexOf(bound)];
    expect([at(0), at(1), at(2), counts.at(-1)]).toEqual([1, 2, 1, 1]);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(5);
  });

  it("are told in a sentence, and forgotten", () => {
    const latencies = new Latencies();
    for (let ms = 1; ms <= 100; ms += 1) latencies.add(ms);
    expect(latencies.summary()).toBe(
      "100 calls: median 51.0 ms, 95% within 96.0 ms, 99% within 100.0 ms, slowest 100.0 ms",
    );
    latencies.clear();
    expect(latencies.summary()).toMatch(/^No calls yet/);
  });

  it("forget the oldest of very many", () => {
    const latencies = new Latencies();
    for (let index = 0; index < 25_000; index += 1) latencies.add(index < 15_000 ? 10_000 : 1);
    expect(latencies.histogram().reduce((sum, count) => sum + count, 0)).toBe(10_000);
    expect(latencies.summary()).toMatch(/slowest 1\.0 ms$/);
  });
});

describe("the throughput of the playground", () => {
  const transfer = (direction: Frame["direction"], fields: object = {}): Frame => {
    return { direction, channel: 0, performative: "transfer", fields, bytes: 100 };
  };

  it("counts messages by the second that is over, by their last frame", () => {
    const throughput = new Throughput();
    throughput.add(transfer("in", { more: true }), 10_000);
    throughput.add(transfer("in", { more: false }), 10_999);
    throughput.add(transfer("out"), 10_500);
    throughput.add(transfer("out"), 11_000);
    throughput.add({ ...transfer("out"), performative: "flow" }, 10_500);
    const rates = throughput.rates(11_500);
    expect([rates.in.at(-1), rates.out.at(-1)]).toEqual([1, 1]);
    expect(rates.in).toHaveLength(SECONDS);
    expect(describeRates(rates)).toBe(
      "Messages in: 1 in the last second, 1 in the last minute; out: 1 in the last second, 1 in the last minute",
    );
  });

  it("forgets what is older than it shows", () => {
    const throughput = new Throughput();
    throughput.add(transfer("in"), 1_000);
    throughput.add(transfer("in"), 200_000);
    expect(throughput.rates(201_000).in.reduce((sum, count) => sum + count, 0)).toBe(1);
  });
});
