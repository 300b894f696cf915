/** Keeps the queue's own target and the branch that people see together. */
import type { NewCondition } from "../../pkg/api/conditions.ts";
import type { Escalation, Workspace } from "../../pkg/api/generated.ts";
import { API_VERSION } from "../../pkg/api/names.ts";
import { writeStatus } from "../../pkg/runtime/status-writer.ts";
import { type Deps, whenOf, withConditions } from "../deps.ts";
import { raise } from "../raise.ts";

/** Whether the queue may go on, and from which commit. */
export type Followed = { goesOn: true; target: string; inSync: boolean } | { goesOn: false };

export async function followTarget(workspace: Workspace, deps: Deps): Promise<Followed> {
  const { client, clock, repository, upstream } = deps;
  const sync = await repository.syncTarget();
  const condition: NewCondition =
    sync.is === "inSync"
      ? {
          type: "TargetInSync",
          status: "True",
          reason: "InSync",
          message: "Your branch and the merge queue's agree.",
        }
      : sync.is === "behind"
        ? { type: "TargetInSync", status: "False", reason: sync.reason, message: sync.message }
        : { type: "TargetInSync", status: "False", reason: "Rewritten", message: sync.message };
  const branch =
    upstream === "Real"
      ? workspace.spec.repository.targetBranch
      : `rehearsal/${workspace.spec.repository.targetBranch}`;
  await writeStatus(client, "Workspace", workspace, {
    ...workspace.status,
    ...(sync.is === "rewritten" ? {} : { target: { branch, commit: sync.commit } }),
    conditions: withConditions(workspace.status?.conditions, whenOf(clock, workspace), condition),
  });
  if (sync.is !== "rewritten") return { goesOn: true, target: sync.commit, inSync: sync.is === "inSync" };
  await escalate(sync.message, deps);
  return { goesOn: false };
}

/** Asks a person, once until that is answered: a branch that is rewritten again, or still is, is asked about anew. */
async function escalate(message: string, deps: Deps): Promise<void> {
  const { client, namespace } = deps;
  const { items } = await client.list("Escalation", { namespace });
  const before = items.filter(({ spec }) => spec.reason === "TargetRewritten");
  if (before.some(({ status }) => status?.state !== "Resolved")) return;
  const escalation: Escalation = {
    apiVersion: API_VERSION,
    kind: "Escalation",
    metadata: { name: `target-rewritten-${before.length + 1}`, namespace },
    spec: { reason: "TargetRewritten", message },
  };
  await raise(escalation, deps);
}
