/** When the objects of a running demo came to say what, to the millisecond: the objects themselves say seconds. */
import { setTimeout as sleep } from "node:timers/promises";
import { NoOperatorError, socketClient } from "../../../cmd/bosun/operator-client/socket-client.ts";
import type { Project, Review } from "../../../pkg/api/generated.ts";

/** Wall time in milliseconds by milestone, see `keyOf`; the first time that it was seen. */
export type Milestones = ReadonlyMap<string, number>;

export type Milestone = "claimed" | "submitted" | "reviewable" | "reviewing" | "judged" | "merged" | "freed";

/** The key of a milestone of one run of a Project. */
export function keyOf(project: string, run: number, what: Milestone): string {
  return `${project} ${run} ${what}`;
}

const connectPeriodMs = 20;

/** Follows the operator at `socket` from when it answers until the signal, or until it ends. */
export async function follow(socket: string, signal: AbortSignal): Promise<Milestones> {
  const seen = new Map<string, number>();
  const note = (key: string): void => {
    if (!seen.has(key)) seen.set(key, Date.now());
  };
  const client = socketClient(socket);
  const watchAll = async <K extends "Project" | "Review">(
    kind: K,
    look: (object: K extends "Project" ? Project : Review) => void,
  ): Promise<void> => {
    for (;;) {
      try {
        const { metadata, items } = await client.list(kind);
        for (const item of items) look(item as never);
        const resourceVersion = metadata.resourceVersion ?? "0";
        for await (const event of client.watch(kind, { resourceVersion, signal }))
          if (event.type === "ADDED" || event.type === "MODIFIED") look(event.object as never);
        return;
      } catch (error) {
        if (signal.aborted) return;
        // It has not begun to listen yet.
        if (!(error instanceof NoOperatorError)) throw error;
        await sleep(connectPeriodMs);
      }
    }
  };
  await Promise.all([
    watchAll("Project", ({ metadata: { name }, status }) => {
      const { claim, submission, verdict, mergeCommit } = status ?? {};
      const run = submission?.run ?? 0;
      if (claim !== undefined) note(keyOf(name, claim.run, "claimed"));
      if (submission !== undefined) note(keyOf(name, run, "submitted"));
      if (verdict !== undefined) note(keyOf(name, verdict.run, "judged"));
      if (mergeCommit !== undefined) note(keyOf(name, run, "merged"));
      if (submission !== undefined && claim === undefined) note(keyOf(name, run, "freed"));
    }),
    watchAll("Review", ({ spec, status }) => {
      if (status?.state !== undefined) note(keyOf(spec.project, spec.cycle, "reviewable"));
      if (status?.claim !== undefined) note(keyOf(spec.project, spec.cycle, "reviewing"));
    }),
  ]);
  return seen;
}
