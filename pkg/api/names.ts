/** Names that several parts have to agree on. */

export const API_VERSION = "bosun.dev/v1alpha1";

/** On Agents: the pool they belong to; pools select by it. */
export const POOL_LABEL = "bosun.dev/pool";
/** On Agents: Execution or Review. */
export const ROLE_LABEL = "bosun.dev/role";
/** On Reviews and Escalations: the Project they are about. */
export const PROJECT_LABEL = "bosun.dev/project";
/** On Projects that may be claimed while the baseline fails. */
export const FIXES_BASELINE_LABEL = "bosun.dev/fixes-baseline";
/** Keeps an Agent or a Project until its work is saved. */
export const WORK_FINALIZER = "bosun.dev/work";

/** Agents are `agent-1` to `agent-10` over all pools. */
export const AGENTS_MAX = 10;

export function agentName(id: number): string {
  return `agent-${id}`;
}

/** 1 to 10, or undefined for a name that is no agent's. */
export function agentId(name: string): number | undefined {
  const match = /^agent-([1-9]|10)$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}

/** The branch an agent works on: `agent-1/project-101`. */
export function branchName(agent: string, projectNumber: number): string {
  return `${agent}/project-${projectNumber}`;
}

/** Who an agent's commits are by, unless the Workspace says otherwise. `.invalid` never receives mail (RFC 2606). */
export function commitIdentity(
  agent: string,
  commits: { authorName?: string; authorEmail?: string } | undefined,
): { name: string; email: string } {
  return {
    name: commits?.authorName ?? `Bosun ${agent}`,
    email: commits?.authorEmail ?? `${agent}@bosun.invalid`,
  };
}
