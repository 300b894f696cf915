import { expect, test } from "vitest";
import type { Project, ProjectEstimate } from "../pkg/api/generated.ts";
import { type BudgetAccount, NANO_PER_USD, type WindowAccount } from "../pkg/gateway/money.ts";
import { mayBegin, type Standing, standings } from "./affordability.ts";
import { type Commitment, type Purse, pursesOf, stillNeeds } from "./funds.ts";
import { aBudget, aProject, condition } from "./testing/objects.ts";

const DAY = 86_400_000;
const OPENED = Date.UTC(2026, 0, 5);

function estimateOf(usd: number): ProjectEstimate {
  const tokens = usd * 1000;
  return {
    ...{ usd, lowUSD: usd / 2, highUSD: usd * 2, tokens, lowTokens: tokens / 2, highTokens: tokens * 2 },
    ...{ coveragePercent: 75, projects: 7 },
  };
}

/** @param waiting - since when it waits for money; undefined: it does not */
function needing(name: string, usd: number, waiting?: string): Project {
  const since =
    waiting === undefined ? [] : [{ ...condition("Affordable", "False"), lastTransitionTime: waiting }];
  const project = aProject({ estimate: estimateOf(usd), conditions: since });
  return { ...project, metadata: { ...project.metadata, name, uid: name } };
}

const used = (usd: number, more: Partial<WindowAccount> = {}): WindowAccount => ({
  window: "2026-01-05",
  startMs: OPENED,
  endMs: OPENED + DAY,
  spent: usd * NANO_PER_USD,
  reserved: 0,
  spentTokens: usd * 1000,
  reservedTokens: 0,
  requests: 1,
  unsettled: 0,
  ...more,
});
const account = (daily: WindowAccount, monthly = used(0)): BudgetAccount => ({
  budget: "all",
  daily,
  monthly: { ...monthly, window: "2026-01", startMs: Date.UTC(2026, 0, 1), endMs: Date.UTC(2026, 1, 1) },
  boundViolated: false,
});

const inWork = (usd: number, sinceMs = OPENED + 1): Commitment => ({
  ...{ labels: {}, sinceMs, usd, tokens: usd * 1000 },
});

interface Row {
  name: string;
  queue: readonly Project[];
  spec?: Parameters<typeof aBudget>[0];
  account?: BudgetAccount;
  commitments?: readonly Commitment[];
  want: readonly string[];
}

const rows: readonly Row[] = [
  { name: "what needs as much as is left begins", queue: [needing("a", 2)], want: ["Fits"] },
  { name: "what needs more waits", queue: [needing("a", 2.01)], want: ["TooLittleLeft"] },
  {
    name: "it is passed over, and the next that fits is taken",
    queue: [needing("a", 2.5), needing("b", 1.9), needing("c", 2.2)],
    want: ["TooLittleLeft", "Fits", "TooLittleLeft"],
  },
  {
    name: "of two for which the money of one is left the second waits once the first is in work",
    queue: [needing("b", 1.9)],
    commitments: [inWork(1.9)],
    want: ["TooLittleLeft"],
  },
  {
    name: "what requests in flight reserve and what their Projects need is not counted twice",
    queue: [needing("b", 1)],
    account: account(used(8, { reserved: NANO_PER_USD })),
    commitments: [inWork(0.9)],
    want: ["Fits"],
  },
  {
    name: "requests in flight of Projects without an estimate count",
    queue: [needing("b", 1)],
    account: account(used(8, { reserved: 1.1 * NANO_PER_USD })),
    want: ["TooLittleLeft"],
  },
  {
    name: "what needs more than the whole limit never fits",
    queue: [needing("a", 10.5)],
    want: ["NeverFits"],
  },
  {
    name: "what waited when the window opened comes first, and what is behind it waits",
    queue: [needing("a", 2.5, "2026-01-04T20:00:00Z"), needing("b", 1)],
    want: ["TooLittleLeft", "Behind"],
  },
  {
    name: "what would not fit anyway is behind nobody",
    queue: [needing("a", 2.5, "2026-01-04T20:00:00Z"), needing("b", 3)],
    want: ["TooLittleLeft", "TooLittleLeft"],
  },
  {
    name: "what has waited since the very moment in which the window opened holds nobody up",
    queue: [needing("a", 2.5, "2026-01-05T00:00:00Z"), needing("b", 1)],
    want: ["TooLittleLeft", "Fits"],
  },
  {
    name: "what needs the whole limit fits when nothing is spent",
    queue: [needing("a", 10)],
    account: account(used(0)),
    want: ["Fits"],
  },
  {
    name: "nothing is held back where no window is limited",
    queue: [needing("a", 99)],
    spec: { daily: undefined },
    want: ["NoLimit"],
  },
  {
    name: "nor where a window has a limit in no unit",
    queue: [needing("a", 99)],
    spec: { daily: {} },
    want: ["NoLimit"],
  },
  {
    name: "what is older than the one that comes first does not wait for it",
    queue: [needing("b", 1), needing("a", 2.5, "2026-01-04T20:00:00Z")],
    want: ["Fits", "TooLittleLeft"],
  },
  {
    name: "what has waited only in this window holds nobody up",
    queue: [needing("a", 2.5, "2026-01-05T01:00:00Z"), needing("b", 1)],
    want: ["TooLittleLeft", "Fits"],
  },
  {
    name: "what never fits holds nobody up, however long it waits",
    queue: [needing("a", 99, "2026-01-01T00:00:00Z"), needing("b", 1)],
    want: ["NeverFits", "Fits"],
  },
  {
    name: "for what waited when the window opened nothing is kept of earlier begun work",
    queue: [needing("a", 9, "2026-01-04T20:00:00Z"), needing("b", 9)],
    account: account(used(0)),
    commitments: [inWork(3, OPENED - 1)],
    want: ["Fits", "TooLittleLeft"],
  },
  {
    name: "work begun in this window is kept from it all the same",
    queue: [needing("a", 9, "2026-01-04T20:00:00Z")],
    account: account(used(0)),
    commitments: [inWork(3, OPENED)],
    want: ["TooLittleLeft"],
  },
  {
    name: "the month counts beside the day",
    queue: [needing("a", 2)],
    spec: { daily: { usd: 10 }, monthly: { usd: 20 } },
    account: account(used(0), used(18.5)),
    want: ["TooLittleLeft"],
  },
  {
    name: "a limit in tokens alone holds it back in tokens",
    queue: [needing("a", 2), needing("b", 3)],
    spec: { daily: { tokens: 10_000 } },
    want: ["Fits", "TooLittleLeft"],
  },
  {
    name: "where tokens run out first they decide",
    queue: [needing("a", 2)],
    spec: { daily: { usd: 10, tokens: 9_000 } },
    want: ["TooLittleLeft"],
  },
  {
    name: "without an estimate nothing is held back",
    queue: [aProject()],
    account: account(used(10)),
    want: ["NoHistory"],
  },
];

for (const { name, queue, spec = {}, account: seen = account(used(8)), commitments = [], want } of rows)
  test(name, () => {
    const budget = aBudget(spec);
    const purses = pursesOf({}, [{ budget, account: seen }], commitments);
    expect(standings(queue, purses).map(({ standing }) => standing.is)).toEqual(want);
  });

/** Of day and month, the one that decided. */
function decidedBy(spec: Parameters<typeof aBudget>[0], daily: number, monthly: number, needs: number) {
  const purses = pursesOf({}, [{ budget: aBudget(spec), account: account(used(daily), used(monthly)) }], []);
  const standing = standings([needing("a", needs)], purses)[0]?.standing;
  return standing !== undefined && "purse" in standing ? `${standing.is} ${standing.purse.period}` : standing;
}

test.each([
  { name: "which has the smaller share to spare", usd: [2, 100], spent: [0.5, 97], want: "Fits monthly" },
  { name: "whatever share was left before", usd: [2, 100], spent: [0.9, 89], want: "Fits daily" },
  {
    name: "which opens last where both have too little",
    usd: [2, 100],
    spent: [1.5, 99.5],
    want: "TooLittleLeft monthly",
  },
])("of two limits the one counts $name", ({ usd: [day, month], spent: [ofDay = 0, ofMonth = 0], want }) => {
  expect(decidedBy({ daily: { usd: day }, monthly: { usd: month } }, ofDay, ofMonth, 1)).toBe(want);
});

test("who is behind another is told whose turn it is, and since when that has waited", () => {
  const purses = pursesOf({}, [{ budget: aBudget(), account: account(used(8)) }], []);
  const since = "2026-01-04T20:00:00Z";
  // Of several the first in the queue: its turn it is.
  const queue = [
    needing("large", 2.5, since),
    needing("later", 2.6, "2026-01-04T21:00:00Z"),
    needing("b", 1),
  ];
  const [, , behind] = standings(queue, purses);
  expect(behind?.standing).toEqual({ is: "Behind", project: "large", since });
});

test("an agent takes up what fits, what no limit holds for and what nothing is known of, and nothing else", () => {
  const [purse] = pursesOf({}, [{ budget: aBudget(), account: account(used(8)) }], []) as [Purse];
  const needs = { unit: "usd", amount: 1 } as const;
  const all: Standing[] = [
    ...[{ is: "NoHistory" } as const, { is: "NoLimit" } as const, { is: "Fits", needs, purse } as const],
    ...[{ is: "TooLittleLeft", needs, purse } as const, { is: "NeverFits", needs, purse } as const],
    { is: "Behind", project: "a", since: "2026-01-04T20:00:00Z" },
  ];
  expect(all.map(mayBegin)).toEqual([true, true, true, false, false, false]);
});

test("a Budget that selects other agents pays nothing and keeps nothing", () => {
  const budget = aBudget({ selector: { matchLabels: { team: "blue" } } });
  const accounts = [{ budget, account: account(used(10)) }];
  expect(pursesOf({ team: "red" }, accounts, [])).toEqual([]);
  const red = { ...inWork(5), labels: { team: "red" } };
  expect(pursesOf({ team: "blue" }, [{ budget, account: account(used(2)) }], [red])[0]?.left.usd).toBe(8);
});

test("a Project that was begun before needs the rest, and at least a tenth of its estimate", () => {
  const begun = (costUSD: number) => {
    const project = needing("a", 2);
    return { ...project, status: { ...project.status, costUSD } };
  };
  const purses = pursesOf({}, [{ budget: aBudget(), account: account(used(9.6)) }], []);
  const of = (costUSD: number) => standings([begun(costUSD)], purses)[0]?.standing;
  expect(of(1.5)).toMatchObject({ is: "TooLittleLeft", needs: { amount: 0.5 } });
  expect(of(1.7)).toMatchObject({ is: "Fits" });
  expect(of(9)).toMatchObject({ is: "Fits", needs: { amount: 0.2 } });

  const { status } = needing("a", 2);
  expect(stillNeeds({ ...aProject(), status }, { usd: 0.5, tokens: 700 })).toEqual({
    usd: 1.5,
    tokens: 1300,
  });
});

/** Begins what may, day after day, while small work keeps coming. */
test("large work begins by the second turn of the window, however much small work keeps coming", () => {
  const budget = aBudget();
  let large: Project = needing("large", 9);
  for (let day = 0; ; day++) {
    expect(day).toBeLessThan(3);
    const startMs = OPENED + day * DAY;
    let spentUSD = 0;
    // Ten agents; each finds the queue as it is, has a small one in hand from the day before, and then is free.
    const left = day === 0 ? [] : Array.from({ length: 10 }, () => inWork(0.3, startMs - 1));
    for (let agent = 0; agent < 10; agent++) {
      spentUSD += 0.3;
      const seen = account({ ...used(spentUSD), startMs, endMs: startMs + DAY });
      const purses = pursesOf({}, [{ budget, account: seen }], left.slice(agent));
      const [first, small] = standings([large, needing("small", 0.3)], purses);
      if (first !== undefined && mayBegin(first.standing)) return;
      // From the second day on nothing small is begun before it.
      if (day > 0) expect(small?.standing.is).toBe("Behind");
      large = needing("large", 9, new Date(OPENED + 3_600_000).toISOString());
    }
  }
});
