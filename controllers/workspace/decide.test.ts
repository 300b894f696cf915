import { expect, test } from "vitest";
import type { WorkspaceSpec, WorkspaceStatus } from "../../pkg/api/generated.ts";
import type { ChecksObservation } from "../../pkg/quality/quality.ts";
import { aBudget, aWorkspace, condition } from "../testing/objects.ts";
import { baselinePassing, checksConfigured, type Observation, ready, stopStep } from "./decide.ts";

const target = { is: "present", value: "tttttttttt" } as const;
const checks = (passed: boolean): ChecksObservation => ({
  is: "done",
  passed,
  results: [{ name: "test", run: "npm test", result: passed ? "Passed" : "Failed", seconds: 9, output: "" }],
});
const seen = (more: Partial<Observation> = {}): Observation => ({
  latched: false,
  target,
  checks: checks(true),
  budgets: [aBudget()],
  ...more,
});

const stops = [
  { name: "running and free agree", mode: "Running", latched: false, known: undefined, want: "agree" },
  {
    name: "mode Stopped engages the latch",
    mode: "Stopped",
    latched: false,
    known: undefined,
    want: "engage",
  },
  { name: "stopped and latched agree", mode: "Stopped", latched: true, known: undefined, want: "agree" },
  {
    name: "a latch by another hand is declared",
    mode: "Running",
    latched: true,
    known: undefined,
    want: "declare",
  },
  { name: "a mode set back releases the latch", mode: "Running", latched: true, known: 0, want: "release" },
  {
    name: "a latch engaged after that is declared",
    mode: "Running",
    latched: true,
    known: 1,
    want: "declare",
  },
] as const;
for (const { name, mode, latched, known, want } of stops)
  test(name, () => {
    const stopped = {
      ...condition("Stopped", "True"),
      ...(known === undefined ? {} : { observedGeneration: known }),
    };
    const status: WorkspaceStatus = known === undefined ? {} : { conditions: [stopped] };
    expect(stopStep(aWorkspace({ mode }, status), latched)).toBe(want);
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
  { name: "a latch is a stop", more: { latched: true }, want: ["False", "Stopped"] },
  { name: "paused", spec: { mode: "Paused" }, want: ["False", "Paused"] },
  { name: "checks run on the target", more: { checks: { is: "running" } }, want: ["Unknown", "Checking"] },
  { name: "the target is red", more: { checks: checks(false) }, want: ["False", "BaselineFailing"] },
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

test("a red baseline says which check failed and what would change it", () => {
  expect(baselinePassing(seen({ checks: checks(false) })).message).toMatch(/test: Failed.*fixes-baseline/);
});

test("a test command is what makes checks configured", () => {
  expect(checksConfigured(aWorkspace()).status).toBe("True");
  expect(checksConfigured(aWorkspace({ commands: { lint: { run: "x", timeoutSeconds: 9 } } })).status).toBe(
    "False",
  );
});
