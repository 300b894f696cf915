/** The queue as the Budgets let it begin, for the Projects in it. */
import type { Agent, Budget, Project } from "../../pkg/api/generated.ts";
import { isClaimable } from "../../pkg/api/phases.ts";
import { mayBegin, type Standing, standings } from "../affordability.ts";
import { budgetsInForce, byAge, type Deps, matches } from "../deps.ts";
import { type Funds, observeFunds, pursesOf } from "../funds.ts";

/**
 * How long what the gateway said counts, in milliseconds, or that it said nothing: a change wakes all that wait, and one
 * answer does for them.
 */
const KEPT_MS = 2_000;

export interface Queue {
  /**
   * How `project` stands where it is best off: an agent that could have it may be paid from other Budgets than the next.
   *
   * @throws TransientError GatewayUnreachable
   */
  standingOf(project: Project): Promise<Standing>;
}

export function openQueue(deps: Deps): Queue {
  const { client, clock, namespace } = deps;
  let kept: { funds: Promise<Funds>; key: string; atMs: number } | undefined;
  return {
    async standingOf(project) {
      const budgets = await budgetsInForce(deps);
      if (project.status?.estimate === undefined)
        return budgets.length === 0 ? { is: "NoLimit" } : { is: "NoHistory" };
      const { items: projects } = await client.list("Project", { namespace });
      const { accounts, commitments } = await funds(budgets, projects);
      const ahead = await aheadOf(project, projects);
      const { items: agents } = await client.list("Agent", { namespace });
      const found = payers(project, agents, budgets).map(({ labels, names }) => {
        const queue = ahead.filter(
          ({ spec }) => spec.assignedAgent === undefined || names.has(spec.assignedAgent),
        );
        return standings([...queue, project], pursesOf(labels, accounts, commitments)).at(-1)?.standing;
      });
      const known = found.filter((standing) => standing !== undefined);
      return (
        known.find(mayBegin) ?? known.find(({ is }) => is !== "NeverFits") ?? known[0] ?? { is: "NoLimit" }
      );
    },
  };

  /** Asked again when a Budget has moved or something was begun or ended. */
  async function funds(budgets: readonly Budget[], projects: readonly Project[]): Promise<Funds> {
    const key = [
      ...budgets.map(({ metadata }) => metadata.resourceVersion),
      ...projects.map(({ status }) => status?.claim?.session ?? ""),
    ].join(" ");
    const now = clock.elapsed();
    if (kept === undefined || kept.key !== key || now - kept.atMs > KEPT_MS)
      kept = { funds: observeFunds(deps), key, atMs: now };
    return kept.funds;
  }

  /** Those that are claimed before it, if their category is not paused. */
  async function aheadOf(project: Project, projects: readonly Project[]): Promise<readonly Project[]> {
    const { items } = await client.list("Category", { namespace });
    const paused = new Set(
      items.filter(({ spec }) => spec.mode === "Paused").map(({ metadata }) => metadata.name),
    );
    return projects
      .filter(
        (other) =>
          isClaimable(other) &&
          other.metadata.uid !== project.metadata.uid &&
          byAge(other, project) < 0 &&
          !(other.spec.category !== undefined && paused.has(other.spec.category)),
      )
      .sort(byAge);
  }
}

/** Agents that could have `project`, as groups that the same Budgets pay for; without an agent, those that pay for all. */
function payers(
  { spec }: Project,
  agents: readonly Agent[],
  budgets: readonly Budget[],
): readonly { labels: Readonly<Record<string, string>>; names: ReadonlySet<string> }[] {
  const able = agents.filter(
    ({ metadata, spec: { role } }) =>
      role === "Execution" &&
      metadata.deletionTimestamp === undefined &&
      (spec.assignedAgent ?? metadata.name) === metadata.name,
  );
  const groups = new Map<string, { labels: Readonly<Record<string, string>>; names: Set<string> }>();
  for (const { metadata } of able) {
    const labels = metadata.labels ?? {};
    const key = budgets
      .filter((budget) => matches(budget, labels))
      .map((budget) => budget.metadata.name)
      .join(" ");
    const group = groups.get(key) ?? { labels, names: new Set() };
    group.names.add(metadata.name);
    groups.set(key, group);
  }
  return groups.size === 0 ? [{ labels: {}, names: new Set() }] : [...groups.values()];
}
