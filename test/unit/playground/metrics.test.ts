import { describe, expect, it } from "vitest";
import { BOUNDS_MS, Latencies } from "@/playground/page/metrics/latencies.js";
import { describeRates, SECONDS, Throughput } from "@/playground/page/metrics/throughput.js";
import type { Frame } from "@/src/core/frames/frame-log.js";

describe("Latencies", () => {
  it("a latency is counted in the bar whose lower bound it reaches", () => {
    const latencies = new Latencies();
    for (const ms of [0.1, 1, 1.9, 2, 70_000]) latencies.add(ms);
    const counts = latencies.histogram();
    const bounds: readonly number[] = BOUNDS_MS;
    const at = (bound: number): number | undefined => counts[bounds.indexOf(bound)];
    expect([at(0), at(1), at(2), counts.at(-1)]).toEqual([1, 2, 1, 1]);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(5);
  });

  it("the latencies are summarized in a sentence until they are cleared", () => {
    const latencies = new Latencies();
    for (let ms = 1; ms <= 100; ms += 1) latencies.add(ms);
    expect(latencies.summary()).toBe(
      "100 calls: median 51.0 ms, 95% within 96.0 ms, 99% within 100.0 ms, slowest 100.0 ms",
    );
    latencies.clear();
    expect(latencies.summary()).toMatch(/^No calls yet/);
  });

  it("only the latest 10,000 latencies are counted", () => {
    const latencies = new Latencies();
    for (let index = 0; index < 25_000; index += 1) latencies.add(index < 15_000 ? 10_000 : 1);
    expect(latencies.histogram().reduce((sum, count) => sum + count, 0)).toBe(10_000);
    expect(latencies.summary()).toMatch(/slowest 1\.0 ms$/);
  });
});

describe("Throughput", () => {
  const transfer = (direction: Frame["direction"], fields: object = {}): Frame => {
    return { direction, channel: 0, performative: "transfer", fields, bytes: 100 };
  };

  it("a message is counted once, in the completed second of its last transfer frame", () => {
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

  it("a message of AMQP 0-9-1 is counted by its content header", () => {
    const throughput = new Throughput();
    for (const performative of ["basic.publish", "content-header", "content-body", "content-body", "basic.ack"]) {
      throughput.add({ ...transfer("out"), performative }, 10_000);
    }
    expect(throughput.rates(11_000).out.at(-1)).toBe(1);
  });

  it("messages older than the chart are not counted", () => {
    const throughput = new Throughput();
    throughput.add(transfer("in"), 1_000);
    throughput.add(transfer("in"), 200_000);
    expect(throughput.rates(201_000).in.reduce((sum, count) => sum + count, 0)).toBe(1);
  });
});
