import type { Metrics } from "../runtime/metrics.ts";

/** Adds the figures of this process, under the names that Prometheus clients give them. */
export function processMetrics(metrics: Metrics): void {
  const startSeconds = Date.now() / 1000 - process.uptime();
  const one = (read: () => number) => () => [[{}, read()] as const];
  metrics.observed(
    { name: "process_start_time_seconds", help: "Since the Unix epoch.", labels: [] },
    one(() => startSeconds),
  );
  metrics.observed(
    { name: "process_cpu_seconds_total", help: "User and system time used.", labels: [] },
    one(() => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    }),
    "counter",
  );
  metrics.observed(
    { name: "process_resident_memory_bytes", help: "Memory that is in RAM.", labels: [] },
    one(() => process.memoryUsage.rss()),
  );
  let before = performance.eventLoopUtilization();
  metrics.observed(
    {
      name: "nodejs_eventloop_utilization",
      help: "The share of time in which the event loop was busy, since these figures were last collected.",
      labels: [],
    },
    one(() => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      return utilization;
    }),
  );
}
