import { expect, test } from "vitest";
import type { WorkspaceSpec, WorkspaceStatus, WorkspaceStop } from "../../pkg/api/generated.ts";
import type { CheckResult, ChecksObservation } from "../../pkg/quality/quality.ts";
import type { LatchSeen } from "../../pkg/session/stop-latch.ts";
import { aBudget, aWorkspace, condition } from "../testing/objects.ts";
import {
  baseline,
  baselinePassing,
  checksConfigured,
  type Observation,
  ready,
  type Stop,
  stopOf,
  stoppedCondition,
  stopStep,
} from "./decide.ts";

const target = { is: "present", value: "tttttttttt" } as const;
const result = (result: CheckResult["result"], output = ""): CheckResult => ({
  ...{ name: "test", run: "npm test", result, seconds: 9, output },
});
const passing: CheckResult = { ...result("Passed"), name: "lint" };
const checks = (
  passed: boolean,
  what: CheckResult["result"] = passed ? "Passed" : "Failed",
): ChecksObservation => ({ is: "done", passed, results: [result(what)] });
const seen = (more: Partial<Observation> = {}): Observation => ({
  stop: undefined,
  target,
  checks: checks(true),
  budgets: [aBudget()],
  ...more,
});

const none = { engaged: undefined, released: undefined };
const on = (engaged: string) => ({ ...none, engaged });
const off = (released: string) => ({ ...none, released });
const noted = (name: string) => ({ name, declared: false });
/** Mode Stopped was seen together with it, in the Workspace's first generation, which is what `aWorkspace` is. */
const seenWith = (name: string) => ({ name, declared: true, generation: 1 });
const stops: readonly {
  name: string;
  mode: WorkspaceSpec["mode"];
  latch: LatchSeen;
  known?: WorkspaceStop;
  want: Stop;
}[] = [
  { name: "running and free agree", mode: "Running", latch: none, want: "agree" },
  { name: "mode Stopped engages the latch", mode: "Stopped", latch: none, want: "engage" },
  { name: "stopped and latched agree", mode: "Stopped", latch: on("a"), known: seenWith("a"), want: "agree" },
  { name: "a latch by another hand is noted", mode: "Running", latch: on("a"), want: "note" },
  {
    name: "a latch that is noted is declared, which another mode from before does not undo",
    mode: "Running",
    latch: on("a"),
    known: noted("a"),
    want: "declare",
  },
  {
    name: "mode Stopped beside a stop is noted",
    mode: "Stopped",
    latch: on("a"),
    known: noted("a"),
    want: "note",
  },
  { name: "paused is no stop", mode: "Paused", latch: on("a"), known: noted("a"), want: "declare" },
  {
    name: "a mode set back after the stop was declared releases it",
    mode: "Running",
    latch: on("a"),
    known: seenWith("a"),
    want: "release",
  },
  {
    name: "a mode set back before another stop does not end that one",
    mode: "Running",
    latch: on("b"),
    known: seenWith("a"),
    want: "note",
  },
  {
    name: "a latch that is merely gone comes back",
    mode: "Stopped",
    latch: none,
    known: seenWith("a"),
    want: "engage",
  },
  {
    name: "the release of another stop than the one that was declared ends nothing",
    mode: "Stopped",
    latch: off("b"),
    known: seenWith("a"),
    want: "engage",
  },
  {
    name: "a stop that a person released while nobody could change the mode is over",
    mode: "Stopped",
    latch: off("a"),
    known: seenWith("a"),
    want: "resume",
  },
  {
    name: "but not where the mode may be a later word, since a crash kept from noting whose it is",
    mode: "Stopped",
    latch: off("a"),
    known: noted("a"),
    want: "engage",
  },
  {
    name: "nor where the spec was changed since: mode Stopped was said again right after the release",
    mode: "Stopped",
    latch: off("a"),
    known: { ...seenWith("a"), generation: 0 },
    want: "engage",
  },
  {
    name: "a spec that is changed while it is stopped is noted, so that a release of this stop means it",
    mode: "Stopped",
    latch: on("a"),
    known: { ...seenWith("a"), generation: 0 },
    want: "note",
  },
  {
    name: "a stop that was released does not end a mode that was set after it",
    mode: "Stopped",
    latch: off("a"),
    want: "engage",
  },
  {
    name: "a latch that is touched again outlives the release of the one before",
    mode: "Stopped",
    latch: { engaged: "b", released: "a" },
    known: seenWith("a"),
    want: "note",
  },
];
for (const { name, mode, latch, known, want } of stops)
  test(name, () => {
    const status: WorkspaceStatus = known === undefined ? {} : { stop: known };
    expect(stopStep(aWorkspace({ mode }, status), latch)).toBe(want);
  });

const reasons: readonly {
  name: string;
  spec?: Partial<WorkspaceSpec>;
  status?: WorkspaceStatus;
  more?: Partial<Observation>;
  want: readonly [string, string];
}[] = [
  { name: "all is well", want: ["True", "Running"] },
  {
    name: "stopped comes first",
    spec: { mode: "Stopped" },
    more: { checks: checks(false) },
    want: ["False", "Stopped"],
  },
  { name: "paused", spec: { mode: "Paused" }, want: ["False", "Paused"] },
  { name: "checks run on the target", more: { checks: { is: "running" } }, want: ["Unknown", "Checking"] },
  { name: "the target is red", more: { checks: checks(false) }, want: ["False", "BaselineFailing"] },
  {
    name: "what a check of the target runs is not there",
    more: { checks: checks(false, "Missing") },
    want: ["False", "ProgramMissing"],
  },
  { name: "there is no target", more: { target: { is: "absent" } }, want: ["False", "NoTarget"] },
  {
    name: "the target can't be seen",
    more: { target: { is: "unknown", why: "Locked." } },
    want: ["Unknown", "TargetUnknown"],
  },
  { name: "no test command", spec: { commands: {} }, want: ["False", "NoTestCommand"] },
  { name: "no test command is waived", spec: { commands: {}, checks: "None" }, want: ["True", "Running"] },
  { name: "no budget", more: { budgets: [] }, want: ["False", "NoBudget"] },
  {
    name: "a used up budget",
    more: { budgets: [aBudget({}, { conditions: [condition("Exceeded", "True")] })] },
    want: ["False", "BudgetExceeded"],
  },
  {
    name: "a used up account",
    status: { conditions: [condition("UsageLimited", "True", "UsageLimited")] },
    want: ["False", "UsageLimited"],
  },
  {
    name: "an account that is used up in part",
    status: { conditions: [condition("UsageLimited", "True", "Said")] },
    want: ["True", "Running"],
  },
  {
    name: "a check that is not there beside one that passes",
    more: { checks: { is: "done", passed: false, results: [passing, result("Missing")] } },
    want: ["False", "ProgramMissing"],
  },
  {
    name: "a rewritten target",
    status: { conditions: [condition("TargetInSync", "False", "Rewritten")] },
    want: ["False", "TargetRewritten"],
  },
];
for (const { name, spec = {}, status = {}, more = {}, want } of reasons)
  test(`ready: ${name}`, () => {
    const said = ready(aWorkspace(spec, status), seen(more));
    expect([said.status, said.reason]).toEqual(want);
  });

test.each<{ mode: WorkspaceSpec["mode"]; name: string | undefined; want: WorkspaceStop | undefined }>([
  { mode: "Stopped", name: undefined, want: undefined },
  { mode: "Stopped", name: "a", want: seenWith("a") },
  { mode: "Running", name: "a", want: noted("a") },
  { mode: "Paused", name: "a", want: noted("a") },
])("mode $mode together with the stop $name is remembered as $want", ({ mode, name, want }) => {
  expect(stopOf(aWorkspace({ mode }), name)).toEqual(want);
});

test.each<{ mode: WorkspaceSpec["mode"]; want: [string, string] }>([
  { mode: "Stopped", want: ["True", "EmergencyStop"] },
  { mode: "Paused", want: ["False", "Paused"] },
  { mode: "Running", want: ["False", "Running"] },
])("in mode $mode Stopped is $want", ({ mode, want }) => {
  const { type, status, reason } = stoppedCondition(aWorkspace({ mode }));
  expect([type, status, reason]).toEqual(["Stopped", ...want]);
});

const failing: ChecksObservation = {
  ...{ is: "done", passed: false },
  results: [passing, result("Failed", `${"x".repeat(5_000)}the end`)],
};
test.each<{ what: string; more: Partial<Observation>; want: WorkspaceStatus["baseline"] }>([
  { what: "can't be seen", more: { target: { is: "unknown", why: "Locked." } }, want: undefined },
  { what: "has checks that can't be seen", more: { checks: undefined }, want: undefined },
  {
    what: "is checked",
    more: { checks: { is: "running" } },
    want: { commit: target.value, result: "Running" },
  },
  { what: "passes", more: {}, want: { commit: target.value, result: "Passed" } },
  {
    what: "fails",
    more: { checks: failing },
    want: { commit: target.value, result: "Failed", output: `${"x".repeat(3_993)}the end` },
  },
])(
  "of a target that $what the baseline says so, and how the first check that failed ends",
  ({ more, want }) => {
    expect(baseline(seen(more))).toEqual(want);
  },
);

test("a red baseline names no check that passes", () => {
  const { message } = baselinePassing(seen({ checks: failing }));
  expect(message).toContain("(test: Failed)");
});

test("a red baseline says which check failed and what would change it", () => {
  expect(baselinePassing(seen({ checks: checks(false) })).message).toMatch(/test: Failed.*fixes-baseline/);
});

test("a test command is what makes checks configured", () => {
  expect(checksConfigured(aWorkspace()).status).toBe("True");
  expect(checksConfigured(aWorkspace({ commands: { lint: { run: "x", timeoutSeconds: 9 } } })).status).toBe(
    "False",
  );
});
