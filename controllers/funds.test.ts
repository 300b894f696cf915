import { expect, test } from "vitest";
import type { Agent, Budget, Project, ProjectEstimate } from "../pkg/api/generated.ts";
import { type BudgetAccount, type MoneyStanding, NANO_PER_USD } from "../pkg/gateway/money.ts";
import { TransientError } from "../pkg/runtime/errors.ts";
import type { Deps } from "./deps.ts";
import { whyExceeded } from "./exceeded.ts";
import { observeFunds } from "./funds.ts";
import { aBudget, aClaim, anAgent, aProject, condition, leaving, submitted } from "./testing/objects.ts";

const estimate: ProjectEstimate = {
  ...{ usd: 5, lowUSD: 1, highUSD: 9, tokens: 5_000, lowTokens: 1_000, highTokens: 9_000 },
  ...{ coveragePercent: 75, projects: 7 },
};
const TIME = "2026-01-05T08:00:00Z";
const NOTHING = { spent: 0, reserved: 0, spentTokens: 0, reservedTokens: 0, requests: 0, unsettled: 0 };
const window = { window: "2026-01-05", startMs: 0, endMs: 1, ...NOTHING };
const accountOf = (budget: string): BudgetAccount => ({
  ...{ budget, daily: window, monthly: window, boundViolated: false },
});

function named<T extends Agent | Budget | Project>(name: string, object: T): T {
  return { ...object, metadata: { ...object.metadata, name } };
}

/** @param spent - in USD, by Project; a thousand tokens each */
function depsOf(
  objects: readonly (Agent | Budget | Project)[],
  accounts: readonly string[],
  spent: Readonly<Record<string, number>> | undefined,
): Deps {
  const standing = async (projects: readonly string[]): Promise<MoneyStanding | undefined> =>
    spent && {
      accounts: accounts.map(accountOf),
      spent: projects.map((name) => ({
        cost: (spent[name] ?? 0) * NANO_PER_USD,
        tokens: 1_000 * (spent[name] ?? 0),
      })),
    };
  const list = async (kind: string) => ({ items: objects.filter((one) => one.kind === kind) });
  return { client: { list }, money: { standing }, namespace: "default" } as unknown as Deps;
}

test("what Projects in work may still need is known with who works on them and since when, and no other's", async () => {
  const working = (name: string, agent: string, more = {}) =>
    named(name, aProject({ estimate, claim: aClaim({ agent, time: TIME }), ...more }));
  const agents = ["red", "blue"].map((team) => {
    const agent = named(team, anAgent());
    return { ...agent, metadata: { ...agent.metadata, labels: { team } } };
  });
  const projects = [
    named("queued", aProject({ estimate })),
    working("one", "blue"),
    working("unknown cost", "blue", { estimate: undefined }),
    working("in review", "blue", { submission: submitted() }),
    working("two", "gone"),
  ];
  const spent = { one: 2, two: 4.9, "in review": 1, queued: 1 };
  const { commitments } = await observeFunds(depsOf([...agents, ...projects], [], spent));
  expect(commitments).toEqual([
    { labels: { team: "blue" }, sinceMs: Date.parse(TIME), usd: 3, tokens: 3_000 },
    { labels: {}, sinceMs: Date.parse(TIME), usd: 0.5, tokens: 500 },
  ]);
});

test("each Budget has its own account; one that is being deleted needs none", async () => {
  const [a, b, gone] = [named("a", aBudget()), named("b", aBudget()), leaving(named("gone", aBudget()))];
  const { accounts } = await observeFunds(depsOf([a, b, gone], ["b", "a"], {}));
  expect(accounts).toEqual([
    { budget: a, account: accountOf("a") },
    { budget: b, account: accountOf("b") },
  ]);
});

test.each([
  {
    name: "the gateway can't be asked",
    accounts: ["a"],
    spent: undefined,
    want: /can't be asked what is left/,
  },
  { name: "it has no account of a Budget yet", accounts: ["b"], spent: {}, want: /what Budget a has left/ },
])("unknown is not enough: where $name nothing is said of the funds", async ({ accounts, spent, want }) => {
  const error = await observeFunds(depsOf([named("a", aBudget())], accounts, spent)).catch((e) => e);
  expect(error).toBeInstanceOf(TransientError);
  expect(error).toMatchObject({ reason: "GatewayUnreachable", message: expect.stringMatching(want) });
});

test("what waits for a Budget is told that it is used up, or what to do where a bound was violated", () => {
  const exceeded = (reason: string) =>
    aBudget({}, { conditions: [{ ...condition("Exceeded", "True", reason), message: "Settle r-7." }] });
  expect(whyExceeded(exceeded("LimitReached"))).toBe("The Budget all is used up.");
  expect(whyExceeded(aBudget())).toBe("The Budget all is used up.");
  expect(whyExceeded(exceeded("BoundViolated"))).toBe("Settle r-7.");
});
