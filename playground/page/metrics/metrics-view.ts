import type { Frame } from "oslo-messaging";
import uPlot from "uplot";
import { byId } from "../parts/elements.js";
import { Chart, colourOf } from "./chart.js";
import { BOUNDS_MS, Latencies } from "./latencies.js";
import { describeRates, type Rates, SECONDS, Throughput } from "./throughput.js";

const PERIOD_MS = 1_000;

/** Charts of the latency of calls and of messages per second. Redrawn once a second while visible. */
export class MetricsView {
  readonly #latencies = new Latencies();
  readonly #throughput = new Throughput();
  readonly #latencySummary = byId("latency-summary", HTMLElement);
  readonly #throughputSummary = byId("throughput-summary", HTMLElement);
  #charts: { latency: Chart; throughput: Chart } | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor() {
    byId("clear-latencies", HTMLButtonElement).addEventListener("click", () => {
      this.#latencies.clear();
      this.#draw();
    });
  }

  addLatency(ms: number): void {
    this.#latencies.add(ms);
  }

  addFrame(frame: Frame): void {
    this.#throughput.add(frame, performance.now());
  }

  show(showing: boolean): void {
    clearInterval(this.#timer);
    if (!showing) return;
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), PERIOD_MS);
  }

  /** Redraws the charts after the colours have changed. */
  repaint(): void {
    this.#charts?.latency.repaint();
    this.#charts?.throughput.repaint();
  }

  #draw(): void {
    // null instead of 0, which would be drawn as a line.
    const counts = this.#latencies.histogram().map((count) => count || null);
    const histogram = [BOUNDS_MS.map((_, index) => index), counts] satisfies uPlot.AlignedData;
    const rates = this.#throughput.rates(performance.now());
    const lines = linesOf(rates);
    this.#latencySummary.textContent = this.#latencies.summary();
    this.#throughputSummary.textContent = describeRates(rates);
    if (this.#charts === undefined) {
      this.#charts = { latency: latencyChart(histogram), throughput: throughputChart(lines) };
    } else {
      this.#charts.latency.set(histogram);
      this.#charts.throughput.set(lines);
    }
  }
}

function linesOf(rates: Rates): [number[], number[], number[]] {
  return [rates.in.map((_, index) => index - SECONDS + 1), rates.in, rates.out];
}

function latencyChart(data: uPlot.AlignedData): Chart {
  const parent = byId("latency-chart", HTMLElement);
  return new Chart(
    parent,
    {
      range: [0, BOUNDS_MS.length],
      marks: BOUNDS_MS.map((bound, index) => [index, markOf(bound)] as const).filter((_, index) => index % 2 === 1),
      unit: "calls",
      series: [
        {
          colour: () => colourOf(byId("key-out", HTMLElement)),
          paths: uPlot.paths.bars?.({ size: [0.9, 200], align: 1 }),
          fill: true,
        },
      ],
    },
    data,
  );
}

function throughputChart(data: uPlot.AlignedData): Chart {
  const key = (id: string) => () => colourOf(byId(id, HTMLElement));
  return new Chart(
    byId("throughput-chart", HTMLElement),
    {
      range: [1 - SECONDS, 0],
      marks: [
        [1 - SECONDS, "1 min ago"],
        [-30, "30 s ago"],
        [-1, "now"],
      ],
      unit: "messages",
      // Dashed, because both lines coincide when each call has a reply.
      series: [{ colour: key("key-in") }, { colour: key("key-out"), dash: [6, 4] }],
    },
    data,
  );
}

function markOf(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`;
}
