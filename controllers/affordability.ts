/** Which Projects the Budgets let begin, in the order of the queue. Pure. */
import { getCondition } from "../pkg/api/conditions.ts";
import type { Project } from "../pkg/api/generated.ts";
import { type Purse, stillNeeds } from "./funds.ts";

/** How a Project in the queue stands towards the purses that would pay for it. */
export type Standing =
  /** Nothing is known of its cost: it is not held back, the gateway keeps the limits. */
  | { is: "NoHistory" }
  | { is: "NoLimit" }
  /** `purse` has the least to spare. */
  | { is: "Fits"; needs: Need; purse: Purse }
  /** It needs more than `purse` has left. */
  | { is: "TooLittleLeft"; needs: Need; purse: Purse }
  /** It needs more than the whole limit of `purse`. */
  | { is: "NeverFits"; needs: Need; purse: Purse }
  /** It would fit, but `project` comes first and has waited for money since before the window opened. */
  | { is: "Behind"; project: string; since: string };

/** In the unit of the purse that decided. */
export interface Need {
  unit: "usd" | "tokens";
  amount: number;
}

/**
 * Each Project of `queue` with its standing, in the queue's order.
 *
 * One that needs more than is left is passed over, and the next that fits is taken: small work goes on near a limit. So
 * that small work never keeps large work waiting for ever, a Project that has waited since before the window opened
 * comes first: nothing behind it is taken before it, and what Projects begun in earlier windows may still need is not
 * kept from it. So it waits for one turn of the window, or for another one if no agent was free before too much was
 * spent. One that is larger than the whole limit holds nobody up.
 *
 * @param queue - claimable Projects, the oldest first
 * @param purses - those that would pay, as they are now
 */
export function standings(
  queue: readonly Project[],
  purses: readonly Purse[],
): readonly { project: Project; standing: Standing }[] {
  let first: { project: string; since: string } | undefined;
  return queue.map((project) => {
    const standing = standingOf(project, purses);
    if (standing.is === "Fits" && first !== undefined)
      return { project, standing: { is: "Behind", ...first } as const };
    const since = waitingSince(project);
    if (standing.is === "TooLittleLeft" && since !== undefined && hasWaited(since, standing.purse))
      first ??= { project: project.metadata.name, since };
    return { project, standing };
  });
}

/** Whether an agent may take up a Project that stands so. */
export function mayBegin({ is }: Standing): boolean {
  return is === "Fits" || is === "NoLimit" || is === "NoHistory";
}

/** Since when it has been waiting for money, as its condition has it. */
function waitingSince({ status }: Project): string | undefined {
  const affordable = getCondition(status?.conditions, "Affordable");
  return affordable?.status === "False" ? affordable.lastTransitionTime : undefined;
}

function hasWaited(since: string | undefined, { startMs }: Purse): boolean {
  return since !== undefined && Date.parse(since) < startMs;
}

function standingOf(project: Project, purses: readonly Purse[]): Standing {
  const { status } = project;
  const needs = stillNeeds(project, { usd: status?.costUSD ?? 0, tokens: status?.costTokens ?? 0 });
  const since = waitingSince(project);
  const tests = purses.flatMap((purse) =>
    (["usd", "tokens"] as const).flatMap((unit) => {
      const { limit: limits, left: alike, leftToFirst } = purse;
      const limit = limits[unit];
      const left = (hasWaited(since, purse) ? leftToFirst : alike)[unit];
      if (limit === undefined || left === undefined) return [];
      const amount = needs?.[unit] ?? 0;
      return [
        { purse, needs: { unit, amount }, limit, left, spare: (left - amount) / Math.max(limit, 1e-9) },
      ];
    }),
  );
  if (tests.length === 0) return { is: "NoLimit" };
  if (needs === undefined) return { is: "NoHistory" };
  const never = tests.find(({ needs: { amount }, limit }) => amount > limit);
  if (never !== undefined) return { is: "NeverFits", needs: never.needs, purse: never.purse };
  const short = tests.filter(({ needs: { amount }, left }) => amount > left);
  // The one that opens last is the one to wait for.
  const [last] = short.sort((a, b) => b.purse.endMs - a.purse.endMs);
  if (last !== undefined) return { is: "TooLittleLeft", needs: last.needs, purse: last.purse };
  const [tightest] = tests.sort((a, b) => a.spare - b.spare);
  if (tightest === undefined) return { is: "NoLimit" };
  return { is: "Fits", needs: tightest.needs, purse: tightest.purse };
}
