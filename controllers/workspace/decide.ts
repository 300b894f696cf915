/** What a Workspace's conditions say. Pure. */
import type { NewCondition } from "../../pkg/api/conditions.ts";
import { getCondition, isTrue } from "../../pkg/api/conditions.ts";
import type { Budget, Workspace, WorkspaceBaseline, WorkspaceStop } from "../../pkg/api/generated.ts";
import type { Reason } from "../../pkg/api/reasons.ts";
import type { Seen } from "../../pkg/git/repository.ts";
import type { ChecksObservation } from "../../pkg/quality/quality.ts";
import type { LatchSeen } from "../../pkg/session/stop-latch.ts";
import { whyExceeded } from "../exceeded.ts";

export interface Observation {
  /** Name of the emergency stop in force, which the mode agrees with. */
  stop: string | undefined;
  target: Seen<string>;
  /** Of the target's commit; undefined where it can't be seen. */
  checks: ChecksObservation | undefined;
  budgets: readonly Budget[];
}

/** What the stop latch and the mode ask of each other. The latch is the truth. */
export type Stop =
  /** Mode Stopped: make it outlive us. */
  | "engage"
  /** A person put the mode back after the stop. */
  | "release"
  /** A person released the latch while nobody could change the mode. */
  | "resume"
  /** The status has to remember this stop, and whether the mode says so by now. */
  | "note"
  /** Somebody touched the latch: the mode has to say so. */
  | "declare"
  | "agree";

/**
 * The mode ends a stop only when it was changed after it: `status.stop` remembers whether mode Stopped was seen
 * together with this very stop, and then another mode is a newer word. A mode that is merely old, a restart or a latch
 * that went away ends none. The release of a stop ends what was declared then and no later word: a spec that was
 * changed since, by another stop perhaps, stays stopped.
 *
 * @param latch - as it was seen after the Workspace was
 */
export function stopStep({ metadata, spec, status }: Workspace, latch: LatchSeen): Stop {
  const { engaged, released } = latch;
  const { name, declared, generation } = status?.stop ?? {};
  const isStopped = spec.mode === "Stopped";
  const isLatest = generation !== undefined && generation === metadata.generation;
  if (engaged === undefined) {
    if (!isStopped) return "agree";
    return released !== undefined && released === name && isLatest ? "resume" : "engage";
  }
  if (engaged !== name) return "note";
  if (isStopped) return declared && isLatest ? "agree" : "note";
  return declared ? "release" : "declare";
}

/** What the status remembers of the stop called `name`. */
export function stopOf({ metadata, spec }: Workspace, name: string | undefined): WorkspaceStop | undefined {
  if (name === undefined) return undefined;
  if (spec.mode !== "Stopped") return { name, declared: false };
  return { name, declared: true, generation: metadata.generation };
}

export function stoppedCondition(workspace: Workspace): NewCondition {
  return workspace.spec.mode === "Stopped"
    ? {
        type: "Stopped",
        status: "True",
        reason: "EmergencyStop",
        message: "Nothing runs until `bosun resume`, or mode is set to Running.",
      }
    : {
        type: "Stopped",
        status: "False",
        reason: workspace.spec.mode,
        message: `The mode is ${workspace.spec.mode}.`,
      };
}

export function checksConfigured({ spec }: Workspace): NewCondition {
  const type = "ChecksConfigured";
  if (spec.commands.test !== undefined)
    return {
      type,
      status: "True",
      reason: "Configured",
      message: `The test command is \`${spec.commands.test.run}\`.`,
    };
  if (spec.checks === "None")
    return {
      type,
      status: "True",
      reason: "Waived",
      message: "spec.checks is None: work is merged on its review alone.",
    };
  return {
    type,
    status: "False",
    reason: "NoTestCommand",
    message: "Nothing merges without a test command. Set spec.commands.test.run, or spec.checks: None.",
  };
}

/** The target's own checks. While they run nothing is known; red stops claims. */
export function baselinePassing({ target, checks }: Observation): NewCondition {
  const type = "BaselinePassing";
  if (target.is === "absent")
    return {
      type,
      status: "False",
      reason: "NoTarget",
      message: "The target branch does not exist. Commit to it, or set spec.repository.targetBranch.",
    };
  if (target.is === "unknown")
    return {
      type,
      status: "Unknown",
      reason: "TargetUnknown",
      message: `The repository can't be seen: ${target.why}`,
    };
  const commit = target.value.slice(0, 9);
  if (checks === undefined || checks.is === "running")
    return { type, status: "Unknown", reason: "Checking", message: `Checks run on the target ${commit}.` };
  const bad = checks.results
    .filter(({ result }) => result !== "Passed")
    .map(({ name, result }) => `${name}: ${result}`);
  if (checks.passed)
    return { type, status: "True", reason: "Passed", message: `The checks pass on the target ${commit}.` };
  return {
    type,
    status: "False",
    reason: checks.results.some(({ result }) => result === "Missing") ? "ProgramMissing" : "BaselineFailing",
    message: `On the target ${commit} the checks fail (${bad.join(", ")}). Mend it, or label a Project bosun.dev/fixes-baseline.`,
  };
}

/** What the checks say of the target itself; undefined while the target or they can't be seen. */
export function baseline({ target, checks }: Observation): WorkspaceBaseline | undefined {
  if (target.is !== "present" || checks === undefined) return undefined;
  if (checks.is === "running") return { commit: target.value, result: "Running" };
  const bad = checks.results.find(({ result }) => result !== "Passed");
  return {
    commit: target.value,
    result: checks.passed ? "Passed" : "Failed",
    ...(bad === undefined ? {} : { output: bad.output.slice(-4000) }),
  };
}

/** The first reason why work does not go on; True when it does. */
export function ready(workspace: Workspace, seen: Observation): NewCondition {
  const type = "Ready";
  const no = (reason: Reason, message: string): NewCondition => ({ type, status: "False", reason, message });
  const { mode } = workspace.spec;
  if (mode === "Stopped") return no("Stopped", "Everything is stopped. `bosun resume` lets work go on.");
  if (mode === "Paused") return no("Paused", "The mode is Paused.");
  const target = baselinePassing(seen);
  if (target.status !== "True") return { ...target, type };
  const checks = checksConfigured(workspace);
  if (checks.status !== "True") return { ...checks, type };
  if (seen.budgets.length === 0)
    return no("NoBudget", "There is no Budget, so nothing may be spent. Add one to .claude-sessions/.");
  const used = seen.budgets.find(({ status }) => isTrue(status?.conditions, "Exceeded"));
  if (used !== undefined) return no("BudgetExceeded", whyExceeded(used));
  const usage = getCondition(workspace.status?.conditions, "UsageLimited");
  if (usage?.status === "True" && usage.reason === "UsageLimited") return no("UsageLimited", usage.message);
  const sync = getCondition(workspace.status?.conditions, "TargetInSync");
  if (sync?.reason === "Rewritten") return no("TargetRewritten", sync.message);
  return { type, status: "True", reason: "Running", message: "Work goes on." };
}
