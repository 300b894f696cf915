/** What stops all work in the workspace. */
import { getCondition } from "../../../pkg/api/conditions.ts";
import type { Agent, Budget } from "../../../pkg/api/generated.ts";
import { type Answer, firstOf, standing, type World } from "./answer.ts";

/** Why nobody works at all; undefined where work may go on. */
export function everythingStands(world: World): Answer | undefined {
  return firstOf([
    () => noWorkspace(world),
    () => stopped(world),
    () => noBudget(world),
    () => unreachable(world),
    () => usedUp(world),
  ]);
}

function noWorkspace({ workspace }: World): Answer | undefined {
  if (workspace !== undefined) return undefined;
  return standing(
    "There is no Workspace.",
    "Declare one in .claude-sessions/workspace.yaml; `bosun init` writes an example.",
  );
}

function stopped({ workspace }: World): Answer | undefined {
  switch (workspace?.spec.mode) {
    case "Paused":
      return standing("The workspace is paused.", "bosun resume");
    case "Stopped":
      return standing("The workspace is stopped: everything was ended at once.", "bosun resume");
    default:
      return undefined;
  }
}

function noBudget({ budgets }: World): Answer | undefined {
  if (budgets.length > 0) return undefined;
  return standing(
    "There is no Budget, so no request is let through.",
    "Declare one in .claude-sessions/budget.yaml; `bosun init` writes an example.",
  );
}

/** One gateway pays for all. */
function unreachable({ budgets }: World): Answer | undefined {
  const lost = budgets
    .map(({ status }) => getCondition(status?.conditions, "Ready"))
    .find((ready) => ready?.reason === "GatewayUnreachable");
  return lost === undefined
    ? undefined
    : standing(`No request is paid for. ${lost.message}`, "It goes on by itself once that is mended.");
}

function usedUp({ workspace }: World): Answer | undefined {
  const usage = getCondition(workspace?.status?.conditions, "UsageLimited");
  if (usage?.status !== "True" || usage.reason !== "UsageLimited") return undefined;
  return standing(usage.message, "Nothing: it goes on by itself then.", "Or raise what the plan allows.");
}

/** Why no new work begins on the target, as when its own checks fail. Undefined where it does. */
export function baselineStands({ workspace }: World): Answer | undefined {
  const ready = getCondition(workspace?.status?.conditions, "Ready");
  if (ready?.status !== "False") return undefined;
  // The Budget itself says it with numbers, and perhaps it isn't the one that pays for this.
  if (ready.reason === "BudgetExceeded") return undefined;
  // It keeps work from being merged, and none from being begun.
  if (ready.reason === "TargetRewritten") return undefined;
  const describe = `bosun describe workspace ${workspace?.metadata.name ?? ""}`;
  if (ready.reason !== "BaselineFailing" && ready.reason !== "ProgramMissing")
    return standing(`No new work begins: ${ready.reason}. ${ready.message}`, describe);
  const last = workspace?.status?.baseline?.output?.trim().split("\n").at(-1) ?? "";
  const sync = getCondition(workspace?.status?.conditions, "TargetInSync");
  const branch = workspace?.spec.repository.targetBranch ?? "the target";
  const remedies = [
    `${describe} shows what they printed${last === "" ? "." : `, at the end: ${last}`}`,
    // Who takes a red commit back by rewriting the branch has mended it, and the queue keeps the red one.
    sync?.reason === "Rewritten" ? sync.message : `Make the checks pass on ${branch} itself.`,
    'Or label the project that does: bosun.dev/fixes-baseline: "true"',
  ];
  // The commonest first trouble: what runs in the person's own shell is not there in the sandbox.
  if (ready.reason === "ProgramMissing")
    remedies.unshift(
      "A program or script is missing. Of your home folder the sandbox shows only the folders on PATH: " +
        "start `bosun up` with the folder of the program itself there.",
    );
  return standing(`No new work begins: ${ready.reason}. ${ready.message}`, ...remedies);
}

/** Why nothing is merged at all; undefined where the queue goes on. */
export function queueStands({ workspace }: World): Answer | undefined {
  const sync = getCondition(workspace?.status?.conditions, "TargetInSync");
  if (sync?.reason !== "Rewritten") return undefined;
  return standing(
    `Nothing is merged: TargetRewritten. ${sync.message}`,
    `bosun describe workspace ${workspace?.metadata.name ?? ""}`,
  );
}

/** Why no request of `agent` is paid for; undefined where money is left. */
export function budgetStands(agent: Agent | undefined, { budgets }: World): Answer | undefined {
  const exceeded = budgets.find((budget) => pays(budget, agent) && isExceeded(budget));
  if (exceeded === undefined) return undefined;
  const { metadata, status } = exceeded;
  const { reason, message = "" } = getCondition(status?.conditions, "Exceeded") ?? {};
  // No limit and no window ends it, and the message says what does.
  if (reason === "BoundViolated") return standing(`BoundViolated. ${message}`);
  const remedies = [
    `Raise the limit of ${metadata.name} in .claude-sessions/budget.yaml, or wait until then.`,
  ];
  const ready = getCondition(status?.conditions, "Ready");
  if (ready?.reason === "ClockUnconfirmed")
    remedies.push(`Set this machine's clock right, or no new window begins: ${ready.message}`);
  return standing(`Budget ${metadata.name} is used up. ${message}`.trim(), ...remedies);
}

function pays({ spec }: Budget, agent: Agent | undefined): boolean {
  const labels = agent?.metadata.labels ?? {};
  return Object.entries(spec.selector?.matchLabels ?? {}).every(([name, value]) => labels[name] === value);
}

function isExceeded({ status }: Budget): boolean {
  return getCondition(status?.conditions, "Exceeded")?.status === "True";
}
