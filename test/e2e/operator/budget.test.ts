/** No overspend, seen from outside: what the ledger says, what the upstream counted, what a person is told. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { NANO_PER_USD } from "../../../pkg/gateway/money.ts";
import { budgetYaml, type Scratch, scratch } from "./scratch.ts";

interface Line {
  step: string;
  id: string;
  upstreamId?: string;
  cost?: number;
  tokens?: number;
}

/** Every line of the ledger, the oldest first. */
function ledger({ workspace }: Scratch): Line[] {
  return lines(path.join(workspace.operator, "rehearsal-ledger", "ledger.jsonl"));
}

function lines(file: string): Line[] {
  const text = readFileSync(file, "utf8");
  // The last one may be half written.
  const whole = text.split("\n").slice(0, -1);
  return whole.map((line) => JSON.parse(line));
}

/** Cost of each request that the upstream answered, by its id, in nano-USD. */
function billed({ workspace }: Scratch): Record<string, number> {
  const records = lines(path.join(workspace.operator, "rehearsal.jsonl")) as (Line & {
    ended: string;
    costNanoUSD?: number;
  })[];
  return Object.fromEntries(
    records.filter(({ ended }) => ended === "Complete").map(({ id, costNanoUSD }) => [id, costNanoUSD ?? 0]),
  );
}

/** The most that was ever spent and reserved together, in nano-USD or in tokens. */
function highest(entries: readonly Line[], unit: "cost" | "tokens" = "cost"): number {
  const held = new Map<string, number>();
  let most = 0;
  for (const { step, id, [unit]: amount } of entries) {
    if (amount !== undefined) held.set(id, amount);
    if (step === "released") held.delete(id);
    most = Math.max(
      most,
      [...held.values()].reduce((sum, each) => sum + each, 0),
    );
  }
  return most;
}

test("a Budget that ends in the middle of the work pauses the session, keeps the work, and a higher limit lets it go on", async () => {
  const limitUSD = 0.14;
  const here = scratch({
    dailyUSD: limitUSD,
    projects: { one: { description: "[test: costly]", tasks: 8 }, two: {} },
  });
  const operator = here.rehearse();
  const budget = await here.until("an exceeded Budget", async () => {
    const found = await here.find("Budget", "default");
    return found !== undefined && here.condition(found, "Exceeded")?.status === "True" && found;
  });
  const agent = await here.until("a paused agent", async () => {
    const found = await here.agent("agent-1");
    return found.status?.state === "Paused" && found;
  });
  expect(here.condition(agent, "Ready")?.reason).toBe("BudgetExceeded");
  expect(agent.status?.failures).toBe(0);
  const [one, two] = [await here.project("one"), await here.project("two")];
  expect(one.status?.phase).toBe("Working");
  expect(one.status?.claim?.agent).toBe("agent-1");
  expect(two.status?.phase).toBe("Queued");
  expect(agent.status?.tasksDone?.length).toBeGreaterThan(0);
  expect(highest(ledger(here))).toBeLessThanOrEqual(limitUSD * NANO_PER_USD);

  expect(here.condition(budget, "Exceeded")?.message).toContain("$0.14");
  for (const name of ["one", "two"]) {
    const { text } = await here.bosun("why", name);
    expect(text).toMatch(/\$0\.14/);
    expect(text).toContain("Raise the limit");
  }

  const session = agent.status?.session?.id;
  here.write("budget.yaml", budgetYaml(5));
  await here.phase("one", "Done");
  await here.phase("two", "Done");
  const sessions = new Set(
    ledger(here)
      .map((line) => line as Line & { session?: string; project?: string })
      .filter(({ project, session: id }) => project === "one" && id !== undefined)
      .map(({ session: id }) => id),
  );
  expect(sessions).toContain(session);
  const events = await here.client.list("Event");
  expect(events.items.filter(({ reason }) => reason === "SessionFailed")).toEqual([]);
  await operator.end();
  expect(here.git("log", "--format=%s", "--grep=of Write one", "rehearsal/main").split("\n")).toHaveLength(8);

  const settled = ledger(here).filter(({ step }) => step === "settled");
  expect(Object.fromEntries(settled.map(({ upstreamId, cost }) => [upstreamId, cost]))).toEqual(billed(here));
  expect(ledger(here).filter(({ step }) => step === "unsettled")).toEqual([]);
  expect(await here.left()).toEqual([]);
});

test("a Budget in tokens alone is kept in tokens, is shown in tokens, and lets work go on when it is raised", async () => {
  const limit = 45_000;
  const inTokens = (tokens: number) =>
    `apiVersion: bosun.dev/v1alpha1
kind: Budget
metadata: { name: default }
spec: { daily: { tokens: ${tokens} }, monthly: { tokens: ${10 * tokens} } }
`;
  const here = scratch({
    dailyUSD: undefined,
    projects: { one: { description: "[test: costly]", tasks: 6 } },
  });
  here.write("budget.yaml", inTokens(limit));
  const operator = here.rehearse();
  const budget = await here.until("an exceeded Budget", async () => {
    const found = await here.find("Budget", "default");
    return found !== undefined && here.condition(found, "Exceeded")?.status === "True" && found;
  });
  expect(here.condition(budget, "Exceeded")?.message).toMatch(
    new RegExp(`\\d+ of ${limit} tokens are spent for \\d{4}-\\d\\d-\\d\\d; \\d+ of ${10 * limit} tokens`),
  );
  await here.until("a paused agent", async () => (await here.agent("agent-1")).status?.state === "Paused");
  expect((await here.agent("agent-1")).status?.failures).toBe(0);
  const spent = await here.until("an alert in tokens", async () => {
    const found = await here.object("Budget", "default");
    return found.status?.alerts?.some(({ percent }) => percent === 50) && found.status.daily?.spentTokens;
  });
  expect(spent).toBeGreaterThan(limit / 2);
  expect(highest(ledger(here), "tokens")).toBeLessThanOrEqual(limit);
  expect((await here.bosun("status")).text).toMatch(new RegExp(`\\d+ of ${limit} tokens today`));
  expect((await here.bosun("budget")).text).toMatch(
    new RegExp(`${limit} tokens\\s+${spent}\\s+0\\s+${limit - spent}`),
  );
  expect((await here.bosun("budget")).text).toMatch(/tokens\/h over the last/);
  expect((await here.bosun("why", "one")).text).toContain("tokens");

  here.write("budget.yaml", inTokens(100 * limit));
  await here.phase("one", "Done");
  await operator.end();
  expect(await here.left()).toEqual([]);
});

test("without any Budget nothing is claimed, everything says NoBudget and what to do, and a Budget lets work begin", async () => {
  const here = scratch({ dailyUSD: undefined, projects: { one: {} } });
  const operator = here.rehearse("--until-settled");
  const ready = await here.until("a Workspace that says so", async () => {
    const found = await here.find("Workspace", "scratch");
    const condition = found && here.condition(found, "Ready");
    return condition?.reason === "NoBudget" && condition;
  });
  expect(ready.message).toContain(".claude-sessions/");
  expect((await here.bosun("why", "one")).text).toContain("budget.yaml");
  const agent = await here.until("an agent that says so", async () => {
    const found = await here.find("Agent", "agent-1");
    return found !== undefined && here.condition(found, "Ready")?.reason === "NoBudget" && found;
  });
  expect(agent.status?.project).toBeUndefined();
  expect((await here.project("one")).status?.claim).toBeUndefined();

  here.write("budget.yaml", budgetYaml(5));
  expect(await operator.exited).toBe(0);
  expect(here.git("show", "rehearsal/main:docs/write-one.md")).toBe("A note on Write one");
});

test("a violated bound stops all spending until a person settles it, is named everywhere with what to do, and then work goes on", async () => {
  const here = scratch({ dailyUSD: 1, projects: { one: { description: "[test: violating]" } } });
  const operator = here.rehearse("--until-settled");
  await here.until(
    "a paused agent",
    async () => (await here.find("Agent", "agent-1"))?.status?.state === "Paused",
  );
  const [violated] = ledger(here).filter(({ step }) => step === "violated");
  const settle = `bosun budget settle ${violated?.id} --cost USD`;
  await here.until("a Budget that says so", async () => {
    const found = here.condition(await here.object("Budget", "default"), "Exceeded");
    return found?.reason === "BoundViolated" && found.message.includes(settle);
  });
  // Neither another limit nor another day helps, so nobody is told to wait for them: that is what was said.
  const why = (await here.bosun("why", "one")).text;
  expect(why).toContain(settle);
  expect(why).not.toMatch(/Raise the limit|a new window begins/);
  expect((await here.bosun("budget")).text).toContain(settle);
  await here.until("a Workspace that says so", async () =>
    here.condition(await here.object("Workspace", "scratch"), "Ready")?.message.includes(settle),
  );

  // Too little is left then, until the person says that it was less: agents waited for another limit or window.
  await here.bosun("budget", "settle", violated?.id ?? "", "--cost", "0.99");
  await here.until("a Budget with too little left", async () => {
    const found = here.condition(await here.object("Budget", "default"), "Exceeded");
    return found?.reason === "TooLittleLeft";
  });
  await here.bosun("budget", "settle", violated?.id ?? "", "--cost", "0.1");
  expect(await operator.exited).toBe(0);
  expect(here.git("show", "rehearsal/main:docs/write-one.md")).toBe("A note on Write one");
});
