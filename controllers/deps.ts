/** What controllers are handed: the API and the world. Nothing else reaches them. */

import type { NewCondition, When } from "../pkg/api/conditions.ts";
import { setCondition } from "../pkg/api/conditions.ts";
import type { Budget, Project, ProjectStatus, Workspace } from "../pkg/api/generated.ts";
import { type Condition, keyOf, type ObjectKey } from "../pkg/api/meta.ts";
import type { Money } from "../pkg/gateway/money.ts";
import type { Repository } from "../pkg/git/repository.ts";
import type { Prompts } from "../pkg/prompts/prompts.ts";
import type { Quality } from "../pkg/quality/quality.ts";
import type { CachingClient } from "../pkg/runtime/caching-client.ts";
import type { Clock, Ids, Random } from "../pkg/runtime/clock.ts";
import { timestamp } from "../pkg/runtime/clock.ts";
import type { EventRecorder } from "../pkg/runtime/events.ts";
import type { Failpoints } from "../pkg/runtime/failpoints.ts";
import type { Sessions } from "../pkg/session/sessions.ts";
import type { FollowedLatch } from "../pkg/session/stop-latch.ts";

export interface Deps {
  client: CachingClient;
  clock: Clock;
  ids: Ids;
  random: Random;
  events: EventRecorder;
  failpoints: Failpoints;
  namespace: string;
  sessions: Sessions;
  repository: Repository;
  quality: Quality;
  money: Money;
  prompts: Prompts;
  latch: FollowedLatch;
  /** Whether the model is real. */
  upstream: "Real" | "Rehearsal";
  /** What sessions run their tools in: the Workspace's choice, or Off in a rehearsal where no sandbox can be had. */
  sandbox: "Required" | "Off";
}

/** The one Workspace of the namespace; undefined while there is none. The oldest, should there be several. */
export async function theWorkspace({
  client,
  namespace,
}: Pick<Deps, "client" | "namespace">): Promise<Workspace | undefined> {
  const { items } = await client.list("Workspace", { namespace });
  return [...items].sort((a, b) => order(a) - order(b))[0];
}

/** The key of `theWorkspace`, for maps of watches. */
export async function theWorkspaceKey(
  deps: Pick<Deps, "client" | "namespace">,
): Promise<readonly ObjectKey[]> {
  const workspace = await theWorkspace(deps);
  return workspace === undefined ? [] : [keyOf(workspace)];
}

/** Whether a Budget limits anything: one that is being deleted does not, also while a finalizer holds it. */
export function isInForce({ metadata }: Budget): boolean {
  return metadata.deletionTimestamp === undefined;
}

export async function budgetsInForce({
  client,
  namespace,
}: Pick<Deps, "client" | "namespace">): Promise<readonly Budget[]> {
  const { items } = await client.list("Budget", { namespace });
  return items.filter(isInForce);
}

function order(workspace: Workspace): number {
  return Date.parse(workspace.metadata.creationTimestamp ?? "") || 0;
}

export function whenOf(clock: Clock, object: { metadata: { generation?: number } }): When {
  return { now: timestamp(clock.now()), generation: object.metadata.generation };
}

/** `conditions` with each of `news` in it; undefined entries are passed over. */
export function withConditions(
  conditions: readonly Condition[] | undefined,
  when: When,
  ...news: readonly (NewCondition | undefined)[]
): Condition[] {
  let result: readonly Condition[] = conditions ?? [];
  for (const next of news) if (next !== undefined) result = setCondition(result, next, when);
  return [...result];
}

/** First come, first served: by creation revision, compared as decimals of any length. */
export function byAge(a: Project, b: Project): number {
  const left = a.status?.creationRevision ?? "";
  const right = b.status?.creationRevision ?? "";
  if (left.length !== right.length) return left.length - right.length;
  if (left !== right) return left < right ? -1 : 1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}

/** What a person decided for `reason` at exactly `commit`; the newest. */
export function resolutionFor(status: ProjectStatus, reason: string, commit: string | undefined) {
  return [...(status.resolutions ?? [])]
    .reverse()
    .find((entry) => entry.reason === reason && entry.commit === commit);
}

/** For wake-ups that have to look something up first: one that fails is made good by the next look. */
export function unlessItFails(waking: Promise<void>): void {
  waking.catch(() => {
    // Reads fail only when the API is gone; the informers notice that, and say so.
  });
}

/** Whether `budget` holds for an Agent with these labels. */
export function matches(budget: Budget, labels: Readonly<Record<string, string>> | undefined): boolean {
  const wanted = Object.entries(budget.spec.selector?.matchLabels ?? {});
  return wanted.every(([key, value]) => labels?.[key] === value);
}
