import type { Clock } from "../runtime/clock.ts";
import type { Metrics } from "../runtime/metrics.ts";
import type { Storage } from "./storage.ts";

/** The storage, with the time of each commit counted. */
export function meteredStorage(storage: Storage, metrics: Metrics, clock: Clock): Storage {
  const seconds = metrics.histogram({
    name: "apiserver_storage_commit_duration_seconds",
    help: "Time until a transaction was synced, waiting for earlier ones included.",
    labels: ["result"],
    buckets: [0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
  });
  return {
    open: () => storage.open(),
    async commit(transaction) {
      const startMs = clock.elapsed();
      let result = "error";
      try {
        await storage.commit(transaction);
        result = "ok";
      } finally {
        seconds.observe({ result }, (clock.elapsed() - startMs) / 1000);
      }
    },
    close: () => storage.close(),
  };
}
