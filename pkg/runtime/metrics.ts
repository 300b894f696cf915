/**
 * Figures that a Prometheus server can collect, kept in memory. A metric is asked for by name where it is counted; the
 * values of its labels are given with each observation.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/ for the text
 */
export class Metrics {
  readonly #families = new Map<string, Family>();

  /** @throws Error when the name is taken */
  counter<L extends string>(options: MetricOptions<L>): Counter<L> {
    const series = this.#add<number>("counter", options, renderNumber);
    return {
      add(labels, amount = 1) {
        const key = series.keyOf(labels);
        series.values.set(key, (series.values.get(key) ?? 0) + amount);
      },
    };
  }

  gauge<L extends string>(options: MetricOptions<L>): Gauge<L> {
    const series = this.#add<number>("gauge", options, renderNumber);
    return {
      set: (labels, value) => void series.values.set(series.keyOf(labels), value),
      add(labels, amount) {
        const key = series.keyOf(labels);
        series.values.set(key, (series.values.get(key) ?? 0) + amount);
      },
    };
  }

  /** A gauge whose values are read when they are collected. Rejects no collection: `read` must not throw. */
  observed<L extends string>(
    options: MetricOptions<L>,
    read: () => Iterable<readonly [labels: Record<L, string>, value: number]>,
    type: "gauge" | "counter" = "gauge",
  ): void {
    const series = this.#add<number>(type, options, renderNumber);
    series.refresh = () => {
      series.values.clear();
      for (const [labels, value] of read()) series.values.set(series.keyOf(labels), value);
    };
  }

  /** @param options.buckets - upper bounds, ascending, without the last, infinite one */
  histogram<L extends string>(options: MetricOptions<L> & { buckets: readonly number[] }): Histogram<L> {
    const { buckets } = options;
    const series = this.#add<Distribution>("histogram", options, (name, labels, value) =>
      renderDistribution(name, labels, value, buckets),
    );
    return {
      observe(labels, value) {
        const key = series.keyOf(labels);
        let seen = series.values.get(key);
        if (seen === undefined) {
          seen = { counts: new Array<number>(buckets.length + 1).fill(0), sum: 0 };
          series.values.set(key, seen);
        }
        const at = buckets.findIndex((bound) => value <= bound);
        const index = at === -1 ? buckets.length : at;
        seen.counts[index] = (seen.counts[index] ?? 0) + 1;
        seen.sum += value;
      },
    };
  }

  /** All that was counted, as text in Prometheus' format, version 0.0.4. */
  render(): string {
    return [...this.#families.values()].map((family) => family()).join("");
  }

  #add<V>(
    type: string,
    { name, help, labels }: MetricOptions<string>,
    render: (name: string, labels: string, value: V) => string,
  ): Series<V> {
    if (this.#families.has(name)) throw new Error(`Two metrics are named ${name}.`);
    const series: Series<V> = {
      values: new Map(),
      keyOf: (given) => labels.map((label) => `${label}="${escaped(given[label] ?? "")}"`).join(","),
      refresh: () => {},
    };
    this.#families.set(name, () => {
      series.refresh();
      if (series.values.size === 0) return "";
      const lines = [...series.values].map(([key, value]) => render(name, key, value));
      return `# HELP ${name} ${help.replace(/\\/g, "\\\\").replace(/\n/g, "\\n")}\n# TYPE ${name} ${type}\n${lines.join("")}`;
    });
    return series;
  }
}

export interface MetricOptions<L extends string> {
  readonly name: string;
  /** One line: what is counted, in which unit. */
  readonly help: string;
  readonly labels: readonly L[];
}

export interface Counter<L extends string> {
  add(labels: Record<L, string>, amount?: number): void;
}

export interface Gauge<L extends string> {
  set(labels: Record<L, string>, value: number): void;
  add(labels: Record<L, string>, amount: number): void;
}

export interface Histogram<L extends string> {
  observe(labels: Record<L, string>, value: number): void;
}

/** Renders one metric with all its labels' values. */
type Family = () => string;

interface Series<V> {
  /** By the labels as they are rendered. */
  readonly values: Map<string, V>;
  keyOf(labels: Record<string, string>): string;
  refresh: () => void;
}

interface Distribution {
  /** One a bucket, and the last for what is above all. */
  readonly counts: number[];
  sum: number;
}

function renderNumber(name: string, labels: string, value: number): string {
  return `${name}${labels && `{${labels}}`} ${value}\n`;
}

function renderDistribution(
  name: string,
  labels: string,
  { counts, sum }: Distribution,
  buckets: readonly number[],
): string {
  let total = 0;
  const lines = counts.map((count, index) => {
    total += count;
    const bound = buckets[index] ?? "+Inf";
    return `${name}_bucket{${labels && `${labels},`}le="${bound}"} ${total}\n`;
  });
  const suffix = labels && `{${labels}}`;
  return `${lines.join("")}${name}_sum${suffix} ${sum}\n${name}_count${suffix} ${total}\n`;
}

function escaped(value: string): string {
  // Nearly always: this is asked of every request.
  if (!/[\\"\n]/.test(value)) return value;
  return value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
}
