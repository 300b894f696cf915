import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { summarize } from "../../hack/demo/summary.ts";
import { fromSources } from "../support/bosun-command.ts";
import { discrepancies, intrusions } from "./accounts.ts";
import { type PreparedDemo, prepareDemo, removeDemo, runDemo } from "./demo-harness.ts";
import { untraceable } from "./merges.ts";
import { endings, failedTests, type Outcome, outcomeOf } from "./outcome.ts";

/** One demo, nobody killed, run from the sources as a newcomer does; each test looks at another side of what came out. */
let demo: PreparedDemo;
let outcome: Outcome;

beforeAll(async () => {
  demo = prepareDemo({ bosun: fromSources });
  await runDemo(demo);
  outcome = await outcomeOf(demo);
});

afterAll(() => removeDemo(demo));

test("five projects are merged and one is escalated", () => {
  const phases = outcome.objects.projects.map(({ metadata, status }) => [metadata.name, status?.phase]);
  expect(Object.fromEntries(phases)).toEqual(endings);
});

test("the target's own tests pass", () => {
  expect(failedTests(demo)).toBeUndefined();
});

test("a project whose first review asked for changes is merged after another review", () => {
  const { reviews } = outcome.objects;
  const reworked = outcome.merges.filter(({ project }) =>
    reviews.some(
      ({ spec, status }) =>
        spec.project === project && spec.cycle === 1 && status?.verdict === "ChangesRequested",
    ),
  );
  expect(reworked.length).toBeGreaterThanOrEqual(1);
});

test("a project whose reviews asked for changes three times waits for a person, with both perspectives", () => {
  const verdicts = outcome.objects.reviews
    .filter(({ spec }) => spec.project === "merge-pollution")
    .map(({ status }) => status?.verdict);
  expect(verdicts).toEqual(["ChangesRequested", "ChangesRequested", "ChangesRequested"]);
  const open = outcome.objects.escalations.filter(({ spec }) => spec.project === "merge-pollution");
  expect(open).toMatchObject([
    {
      spec: {
        reason: "ReviewDeadlock",
        perspectives: { author: expect.any(String), reviewer: expect.any(String) },
      },
    },
  ]);
});

test("each merge leads to its project, its review and both agents, and each project was merged once", () => {
  expect(untraceable(outcome.merges, outcome.objects)).toEqual([]);
});

test("the ledger has each request that the upstream counted, once, at its cost", () => {
  expect(outcome.accounts.upstream.length).toBeGreaterThan(50);
  expect(discrepancies(outcome.accounts)).toEqual([]);
});

test("Budget and Projects say what the ledger adds up to, to a ten-thousandth of a dollar", () => {
  const spent = outcome.accounts.ledger.reduce((sum, { cost }) => sum + cost, 0) / 1e9;
  const [budget] = outcome.objects.budgets;
  expect(budget?.status?.daily?.spentUSD).toBeCloseTo(spent, 4);
  expect(budget?.status?.daily?.reservedUSD).toBe(0);
  const charged = outcome.objects.projects.reduce((sum, { status }) => sum + (status?.costUSD ?? 0), 0);
  expect(charged).toBeCloseTo(spent, 4);
});

test("no session spends on work that another has taken over", () => {
  expect(intrusions(outcome.accounts)).toEqual([]);
});

test("the summary says that it came out well, and what it cost", async () => {
  const said: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((line) => void said.push(String(line)));
  onTestFinished(() => log.mockRestore());
  expect(await summarize(demo)).toBe(0);
  const spent = outcome.accounts.ledger.reduce((sum, { cost }) => sum + cost, 0) / 1e9;
  expect(said.join("\n")).toContain(`Cost: $${spent.toFixed(4)} of $5.00`);
  expect(said.join("\n")).toContain("5 of 6 projects are merged into rehearsal/main; its tests pass.");
});

test("no process is left", () => {
  expect(outcome.left).toEqual([]);
});

test("no checkout, temporary file, lock or ref of finished work is left", () => {
  expect(outcome.debris).toEqual([]);
});

test("main and the person's dirty checkout are byte for byte what they were", () => {
  expect(outcome.after).toEqual(demo.before);
});

test("the same command once more ends, and nothing is done again", async () => {
  await runDemo(demo);
  const after = await outcomeOf(demo);
  expect(after.merges).toEqual(outcome.merges);
  expect(after.accounts).toEqual(outcome.accounts);
  expect(after.left).toEqual([]);
});
