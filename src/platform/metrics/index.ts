import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** A figure that is read from a store when somebody asks for it: one value per set of labels. */
export type StoredGauge = {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  read(): Promise<readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]>;
};

export type Metrics = { readonly contentType: string; text(): Promise<string> };

/** Figures of this process and of the stores, in Prometheus' text form. */
export function createMetrics(gauges: readonly StoredGauge[]): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const { name, help, labels, read } of gauges) {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames: [...labels],
      registers: [registry],
      async collect() {
        const found = await read();
        gauge.reset();
        for (const item of found) gauge.set({ ...item.labels }, item.value);
      },
    });
  }
  return { contentType: registry.contentType, text: () => registry.metrics() };
}
