/** How many warnings stand and have come up, for Prometheus. */
import type { Metrics } from "../../../pkg/runtime/metrics.ts";
import { WARNING_TYPES, type Watched, warningsOf } from "../view/warnings.ts";
import { type FollowOptions, followObjects } from "./follow-objects.ts";

export interface WarningMetrics {
  /** Takes in what the objects say now. */
  show(objects: Watched): void;
}

/** So often all is looked at whatever changed: objects that are gone tell nobody, in milliseconds. */
const lookMs = 15_000;

/** Keeps the figures true while the operator runs. Abort the answer to end it. */
export function countWarnings(metrics: Metrics, options: FollowOptions): AbortController {
  const { client, namespace, clock, logger } = options;
  const figures = warningMetrics(metrics);
  const ending = new AbortController();
  const look = async (): Promise<void> => {
    const [workspaces, agents, budgets, escalations] = await Promise.all([
      client.list("Workspace", { namespace }),
      client.list("Agent", { namespace }),
      client.list("Budget", { namespace }),
      client.list("Escalation", { namespace }),
    ]);
    figures.show({
      workspaces: workspaces.items,
      agents: agents.items,
      budgets: budgets.items,
      escalations: escalations.items,
    });
  };
  const following = (["Workspace", "Agent", "Budget", "Escalation"] as const).map((kind) =>
    followObjects(kind, options, look),
  );
  ending.signal.addEventListener("abort", () => {
    for (const one of following) one.abort();
  });
  void (async () => {
    while (!ending.signal.aborted) {
      await clock.sleep(lookMs, ending.signal).catch(() => undefined); // Ended.
      await look().catch((error: unknown) => logger.warn("Warnings could not be counted", { error }));
    }
  })();
  return ending;
}

/** Adds the figures to `metrics`; what stands at the first look counts as having come up then. */
export function warningMetrics(metrics: Metrics): WarningMetrics {
  const standing = metrics.gauge({
    name: "bosun_warnings",
    help: "Warnings that stand now, by type.",
    labels: ["type"],
  });
  const raised = metrics.counter({
    name: "bosun_warnings_total",
    help: "Warnings that came up since the operator started, by type.",
    labels: ["type"],
  });
  for (const type of WARNING_TYPES) {
    standing.set({ type }, 0);
    raised.add({ type }, 0);
  }
  let before = new Set<string>();
  return {
    show(objects) {
      const now = warningsOf(objects);
      for (const type of WARNING_TYPES)
        standing.set({ type }, now.filter((warning) => warning.type === type && !warning.isPast).length);
      for (const { type, key, isPast } of now) if (!before.has(key) && !isPast) raised.add({ type });
      before = new Set(now.map(({ key }) => key));
    },
  };
}
