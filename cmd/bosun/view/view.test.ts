import { expect, test } from "vitest";
import type { Budget } from "../../../pkg/api/generated.ts";
import { changesBetween } from "./changes.ts";
import { liveView } from "./live.ts";
import type { Objects } from "./objects.ts";
import { renderStatus } from "./status.ts";

const now = Date.parse("2026-11-23T12:00:00Z");

function object(
  kind: string,
  name: string,
  spec: object,
  status?: object,
  creationTimestamp = "2026-11-23T11:00:00Z",
) {
  return { apiVersion: "bosun.dev/v1alpha1", kind, metadata: { name, creationTimestamp }, spec, status };
}

/** Plain data: the view reads a few fields of each. */
function fleet(phase = "Working", progressPercent = 50, { costUSD = 0.25, spentUSD = 1.75 } = {}): Objects {
  const workspace = object(
    "Workspace",
    "library",
    { mode: "Running", repository: { targetBranch: "main" } },
    { upstream: "Rehearsal", target: { branch: "rehearsal/main", commit: "0123456789abcdef" } },
  );
  const agents = [
    object("Agent", "agent-10", { paused: true }, { activity: "paused" }),
    object(
      "Agent",
      "agent-1",
      { paused: false },
      {
        activity: "working",
        project: "retry",
        currentTask: "T-2",
        session: { id: "s", lastActivityTime: "2026-11-23T11:59:57Z" },
      },
    ),
    object("Agent", "agent-2", { paused: false }, { activity: "reviewing", review: "rounding-1" }),
  ];
  const projects = [
    object(
      "Project",
      "retry",
      { title: "Retry uploads", tasks: [{ id: "T-2", title: "Wait longer each time" }] },
      { number: 101, phase, progressPercent, costUSD, claim: { agent: "agent-1" } },
    ),
    object(
      "Project",
      "rounding",
      { title: "Round half to even" },
      { number: 100, phase: "InReview", progressPercent: 100, costUSD: 1.5, reviewCycles: 2 },
    ),
  ];
  const budget = object(
    "Budget",
    "default",
    { daily: { usd: 5 } },
    { daily: { spentUSD, reservedUSD: 0.1 } },
  );
  const escalation = object(
    "Escalation",
    "rounding-stuck-1",
    { project: "rounding", reason: "Stuck" },
    { state: "Open" },
  );
  return {
    workspaces: [workspace],
    pools: [],
    agents,
    projects,
    reviews: [object("Review", "rounding-1", { project: "rounding" })],
    budgets: [budget],
    escalations: [escalation],
  } as unknown as Objects;
}

test("the page tells who works on what, how far, for how much, and what waits for a person", () => {
  expect(renderStatus(fleet(), now, 120)).toEqual([
    "[rehearsal] rehearsal/main at 0123456789, Running",
    "The model is played from scenarios: costs are played too, and main stays as it is.",
    "",
    "Budget default: $1.75 of $5.00 today (35 %, $0.10 reserved)",
    "Projects: 1 Working, 1 InReview",
    "",
    "AGENT      STATE       PROJECT    PHASE      DONE   ACTIVE   DOING",
    "agent-1    working     retry      Working    50%    3s       T-2 Wait longer each time",
    "agent-2    reviewing   rounding   InReview   100%",
    "agent-10   paused                                            paused",
    "",
    "NO    PROJECT    PHASE      DONE   CYCLES   COST    AGENT     TITLE",
    "100   rounding   InReview   100%   2        $1.50             Round half to even",
    "101   retry      Working    50%    0        $0.25   agent-1   Retry uploads",
    "",
    "Waits for you: Stuck on rounding (60m): bosun resolve rounding-stuck-1 ...",
  ]);
});

test("money of a day or month that is over is shown as theirs, by the Budget's own clock: it was shown as today's", () => {
  const atMs = Date.parse("2026-11-27T23:30:00Z");
  const line = (timeZone: string, day: string, month: string): string | undefined => {
    const limits = { daily: { usd: 5 }, monthly: { usd: 20 } };
    const told = { daily: { window: day, spentUSD: 4 }, monthly: { window: month, spentUSD: 9 } };
    const budget = object("Budget", "default", { ...limits, timeZone }, told) as Budget;
    return renderStatus({ ...fleet(), budgets: [budget] }, atMs, 120).find((one) => one.startsWith("Budget"));
  };
  const shown = (day: string, month: string) =>
    `Budget default: $4.00 of $5.00 ${day} (80 %), $9.00 of $20.00 ${month} (45 %)`;
  expect(line("UTC", "2026-11-27", "2026-11")).toBe(shown("today", "this month"));
  expect(line("Europe/Berlin", "2026-11-27", "2026-11")).toBe(shown("on 2026-11-27", "this month"));
  expect(line("UTC", "2026-10-31", "2026-10")).toBe(shown("on 2026-10-31", "in 2026-10"));
});

test("a Project's cost reads as the same money does in the Budget that paid it: one was $0.02, the other $0.01", () => {
  // The ledger's sum, and the same as a Budget's status has it.
  const [exact, told] = [0.015_000_4, 0.015];
  const seen = fleet("Working", 50, { spentUSD: told, costUSD: exact });
  const page = renderStatus(seen, now, 120);
  expect(page).toContain("Budget default: $0.02 of $5.00 today (0 %, $0.10 reserved)");
  expect(page).toContainEqual(expect.stringMatching(/^101 +retry +.* \$0\.02 /));
  const reviewed = fleet("InReview", 100, { costUSD: told });
  expect(changesBetween(seen, reviewed)).toEqual(["retry: Working -> InReview, $0.02"]);
});

test("a branch that does not show what was merged is told of, on the page and as a change", () => {
  const objects = fleet();
  const [workspace] = objects.workspaces;
  const message = "git finds no safe fast-forward of main: a.txt is in the way";
  const conditions = [{ type: "TargetInSync", status: "False", reason: "CheckoutDirty", message }];
  const workspaces = [{ ...workspace, status: { ...workspace?.status, conditions } }];
  const lagging = { ...objects, workspaces } as unknown as Objects;
  expect(renderStatus(lagging, now, 120)).toContain(`CheckoutDirty: ${message}`);
  expect(changesBetween(fleet(), lagging)).toEqual([
    `[rehearsal] Running; rehearsal/main at 0123456789. CheckoutDirty: ${message}`,
  ]);
});

test.each([
  { mode: "Stopped", message: "Everything is stopped. `bosun resume` lets work go on." },
  { mode: "Paused", message: "The mode is Paused." },
])(
  "a Workspace that goes on said for a moment that it is $mode: its status still spoke of the mode before",
  ({ mode, message }) => {
    const conditions = [{ type: "Ready", status: "False", reason: mode, message }];
    const inMode = (now: string): Objects => {
      const workspaces = fleet().workspaces.map((workspace) => ({
        ...workspace,
        spec: { ...workspace.spec, mode: now },
        status: { ...workspace.status, conditions },
      }));
      return { ...fleet(), workspaces } as unknown as Objects;
    };
    expect(renderStatus(inMode(mode), now, 120)).toContain(`${mode}: ${message}`);
    expect(renderStatus(inMode("Running"), now, 120)).not.toContain(`${mode}: ${message}`);
    const goesOn = "[rehearsal] Running; rehearsal/main at 0123456789";
    expect(changesBetween(inMode(mode), inMode("Running"))).toEqual([goesOn]);
    expect(changesBetween(inMode("Running"), fleet())).toEqual([]);
  },
);

test("a Budget that can't be kept, or is counted in another window than the clock shows, is told of at once", () => {
  const objects = fleet();
  const [budget] = objects.budgets;
  const troubled = (reason: string, message: string): Objects => {
    const conditions = [{ type: "Ready", status: "Unknown", reason, message }];
    const budgets = [{ ...budget, status: { ...budget?.status, conditions } }];
    return { ...objects, budgets } as unknown as Objects;
  };
  const lost = troubled("GatewayUnreachable", "ledger.jsonl, line 7 is damaged");
  expect(renderStatus(lost, now, 120)).toContain("  GatewayUnreachable: ledger.jsonl, line 7 is damaged");
  expect(changesBetween(fleet(), lost)).toEqual([
    "Budget default: GatewayUnreachable: ledger.jsonl, line 7 is damaged",
  ]);
  expect(changesBetween(lost, fleet())).toEqual([]);
  const clock = "ClockUnconfirmed: this machine's clock jumped by 24 h";
  expect(renderStatus(troubled("ClockUnconfirmed", clock), now, 120)).toContain(`  ${clock}`);
});

test("no line is wider than the terminal", () => {
  for (const line of renderStatus(fleet(), now, 40)) expect(line.length).toBeLessThanOrEqual(40);
});

test("an empty workspace says what to do", () => {
  const empty: Objects = {
    workspaces: [],
    pools: [],
    agents: [],
    projects: [],
    reviews: [],
    budgets: [],
    escalations: [],
  };
  expect(renderStatus(empty, now, 100)).toEqual(["No projects. Declare one in .claude-sessions/projects/."]);
});

test("a change of phase is one line, and no change is none", () => {
  expect(changesBetween(fleet(), fleet("InReview", 100))).toEqual(["retry: Working -> InReview, $0.25"]);
  expect(changesBetween(fleet(), fleet())).toEqual([]);
});

test("a Project that is deleted is told: it went without a word", () => {
  expect(changesBetween(fleet(), { ...fleet(), projects: [] })).toContain("retry: deleted");
  expect(changesBetween(undefined, { ...fleet(), projects: [] })).not.toContain("retry: deleted");
});

test("off a terminal the view appends a line for each change", () => {
  const written: string[] = [];
  const view = liveView({ write: (text) => written.push(text) }, () => now);
  view.show(fleet());
  const before = written.length;
  view.show(fleet());
  view.show(fleet("Done", 100));
  expect(written.slice(before)).toEqual(["12:00:00 retry: Working -> Done, $0.25\n"]);
});

test("on a terminal the view is redrawn in place and never higher than the screen", () => {
  const written: string[] = [];
  const view = liveView(
    { write: (text) => written.push(text), isTTY: true, columns: 80, rows: 6 },
    () => now,
  );
  view.show(fleet());
  view.show(fleet());
  expect(written[0]?.split("\n")).toHaveLength(6);
  expect(written[1]?.startsWith("\x1b[5A\x1b[0J")).toBe(true);
  view.print(["merged"]);
  expect(written[2]?.startsWith("\x1b[5A\x1b[0Jmerged\n")).toBe(true);
});

test("a terminal that doesn't know its size is taken for an ordinary one", () => {
  const written: string[] = [];
  liveView({ write: (text) => written.push(text), isTTY: true, columns: 0, rows: 0 }, () => now).show(
    fleet(),
  );
  expect(written[0]).toContain("agent-1    working");
});
