import uPlot from "uplot";

export interface ChartInit {
  /** First and last value of x. */
  range: readonly [number, number];
  /** Positions and labels of the marks on the x axis. */
  marks: readonly (readonly [at: number, text: string])[];
  /** Label of the y axis. */
  unit: string;
  series: readonly {
    colour: () => string;
    paths?: uPlot.Series.PathBuilder | undefined;
    fill?: boolean | undefined;
    dash?: number[] | undefined;
  }[];
}

const HEIGHT = 290;
/** Width of a mark's label, in pixels. A narrow chart omits some marks. */
const MARK_WIDTH = 66;
/** Minimum top of the y axis, so that a few calls do not fill the chart. */
const LEAST_TOP = 5;

/** A chart in the page's colours, as wide as its element. */
export class Chart {
  readonly #plot: uPlot;

  constructor(parent: HTMLElement, { range, marks, unit, series }: ChartInit, data: uPlot.AlignedData) {
    const text = (): string => colourOf(parent);
    const marksFor = (width: number) => {
      const step = Math.ceil((marks.length * MARK_WIDTH) / width);
      return marks.filter((_, index) => index % step === 0);
    };
    const grid = { stroke: () => lineColourOf(parent), width: 1 };
    this.#plot = new uPlot(
      {
        width: parent.clientWidth || 1,
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        scales: {
          x: { time: false, range: [...range] },
          y: { range: (_plot, _min, max) => [0, Math.max(LEAST_TOP, max * 1.05)] },
        },
        axes: [
          {
            stroke: text,
            grid: { show: false },
            ticks: grid,
            splits: ({ width }) => marksFor(width).map(([at]) => at),
            values: ({ width }) => marksFor(width).map(([, mark]) => mark),
          },
          {
            stroke: text,
            grid,
            ticks: grid,
            label: unit,
            labelSize: 20,
            incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000],
          },
        ],
        series: [
          {},
          ...series.map(({ colour, paths, dash, fill = false }) => ({
            stroke: colour,
            width: 2,
            points: { show: false },
            ...(paths === undefined ? {} : { paths }),
            ...(dash === undefined ? {} : { dash }),
            ...(fill ? { fill: colour } : {}),
          })),
        ],
      },
      data,
      parent,
    );
    new ResizeObserver(() => this.#fit(parent)).observe(parent);
  }

  set(data: uPlot.AlignedData): void {
    this.#plot.setData(data);
  }

  /** Redraws the chart after the colours have changed. */
  repaint(): void {
    this.#plot.redraw();
  }

  /** Fits the chart to its element. Ignores a hidden panel, whose width is 0. */
  #fit({ clientWidth }: HTMLElement): void {
    if (clientWidth > 0) this.#plot.setSize({ width: clientWidth, height: HEIGHT });
  }
}

/** Returns the computed `color` of an element, for a canvas, which cannot use custom properties. */
export function colourOf(of: HTMLElement): string {
  return getComputedStyle(of).color;
}

function lineColourOf(of: HTMLElement): string {
  return getComputedStyle(of).outlineColor;
}
