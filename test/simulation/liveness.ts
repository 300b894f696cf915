/** What is not settled yet: in a calm world that must become nothing. */
import type { KubeObject } from "../../pkg/api/meta.ts";
import { phaseOf } from "../../pkg/api/phases.ts";
import type { World } from "./world.ts";

const ENDS: ReadonlySet<string> = new Set(["Done", "Abandoned", "Skipped", "Rejected"]);

/** Each thing that is still in the way, with all that is said about it. */
export function unsettled({ api, sessions }: World): readonly string[] {
  const left: string[] = [];
  for (const project of api.objects("Project")) {
    const { status, metadata } = project;
    if (metadata.deletionTimestamp !== undefined) left.push(told(project, "is being deleted"));
    else if (!ENDS.has(phaseOf(project))) left.push(told(project, `is ${phaseOf(project)}`));
    else if (status?.phase !== phaseOf(project)) left.push(told(project, `says ${status?.phase}`));
    else if (status?.claim !== undefined) left.push(told(project, "is still claimed"));
  }
  for (const agent of api.objects("Agent")) {
    const { status, metadata } = agent;
    if (metadata.deletionTimestamp !== undefined) left.push(told(agent, "is being removed"));
    else if (status?.state !== "Idle") left.push(told(agent, `is ${status?.state}`));
    else if (status?.session !== undefined) left.push(told(agent, "has a session left"));
  }
  for (const escalation of api.objects("Escalation"))
    if (escalation.status?.state !== "Resolved") left.push(told(escalation, "is open"));
  for (const review of api.objects("Review"))
    if (review.status?.state === "Reviewing") left.push(told(review, "is being reviewed"));
  for (const pool of api.objects("AgentPool"))
    if (pool.status?.replicas !== pool.spec.replicas) left.push(told(pool, "has not its replicas"));
  for (const { spec } of sessions.hosts()) left.push(`A host of ${spec.agent} lives for ${spec.project}`);
  return left;
}

function told({ kind, metadata, spec, status }: KubeObject, what: string): string {
  const { conditions = [], ...rest } = (status ?? {}) as {
    conditions?: { type: string; status: string; reason: string; message: string }[];
  };
  const said = conditions.map(
    ({ type, status: is, reason, message }) => `    ${type}=${is} ${reason}: ${message.slice(0, 200)}`,
  );
  return `${kind} ${metadata.name} ${what}\n  spec ${JSON.stringify(spec)}\n  status ${JSON.stringify(rest)}\n${said.join("\n")}`;
}
