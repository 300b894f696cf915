import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { Granted, Line, Reserved } from "../../../pkg/gateway/ledger-lines.ts";
import { reservation } from "../../../pkg/gateway/testing/steps.ts";
import { check, type Evidence } from "./check.ts";
import { soakMoney } from "./main.ts";
import type { BillLine } from "./upstream.ts";

test("a short soak: no limit is exceeded, each request is accounted once, and the money stays usable", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "bosun-soak-money-"));
  try {
    const result = await soakMoney({ minutes: 0.08, seed: 7, measured: [5], folder });
    expect(result.problems).toEqual([]);
    expect(result.requests).toBeGreaterThan(20);
    expect(result.billed).toBeLessThanOrEqual(result.charged);
  } finally {
    await rm(folder, { recursive: true });
  }
}, 600_000);

describe("the check finds", () => {
  const day = Date.parse("2026-11-23T00:00:00Z");
  const granted: Granted = {
    step: "granted",
    at: day,
    grant: "u/2026-11-23@local",
    holder: "local",
    budget: "all",
    uid: "u",
    period: "daily",
    window: "2026-11-23",
    startMs: day,
    endMs: day + 86_400_000,
    selector: {},
    limitCost: 1_000,
    limitTokens: null,
  };
  const reserved = (id: string, more: Partial<Reserved> = {}): Reserved =>
    reservation(id, {
      at: day + 1,
      turn: 1,
      host: "h",
      grants: [granted.grant],
      maxTokens: 10,
      inputTokens: 10,
      cost: 600,
      tokens: 20,
      ...more,
    });
  const usage = { input: 1, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 1 };
  const settled = (id: string, cost: number, upstreamId = `up-${id}`) =>
    ({ step: "settled", id, status: 200, upstreamId, usage, cost, tokens: 2 }) as const;
  const bill = (id: string, cost: number): BillLine => ({
    upstreamId: `up-${id}`,
    asked: "h/1",
    how: "whole",
    cost,
    tokens: 2,
    maxTokens: 10,
    at: "2026-11-23T00:00:00Z",
  });
  const evidence = (steps: readonly object[], billed: readonly BillLine[] = [bill("a", 300)]): Evidence => ({
    lines: [{ step: "opened", ledger: "l", version: 1 }, ...steps].map(
      (step, index) => ({ seq: index + 1, at: day, ...step }) as Line,
    ),
    bill: billed,
    inForce: [
      {
        budgets: [{ name: "all", uid: "u", daily: { usd: 1e-6 }, timeZone: "UTC", selector: {} }],
        fromLine: 0,
        surelyFromLine: 0,
      },
    ],
    violations: 0,
  });
  const sent = (id: string) => ({ step: "sent", id });
  const good = [granted, reserved("a"), sent("a"), settled("a", 300)];

  test("nothing in a ledger that is right", () => {
    expect(check(evidence(good)).problems).toEqual([]);
  });

  test.each<[string, readonly object[], readonly BillLine[] | undefined, RegExp]>([
    [
      "a limit exceeded",
      [...good, reserved("b", { cost: 701 }), sent("b"), settled("b", 1)],
      [bill("a", 300), bill("b", 1)],
      /takes .* to 1001 of 1000/,
    ],
    [
      "a charge below the bill",
      [granted, reserved("a"), sent("a"), settled("a", 299)],
      undefined,
      /is billed 300 and charged 299/,
    ],
    ["a bill that no request is for", good, [bill("a", 300), bill("z", 1)], /no request for the bill's up-z/],
    ["a request that never ended", [granted, reserved("a"), sent("a")], undefined, /never ended/],
    ["a request that was never sent", [granted, reserved("a"), settled("a", 300)], undefined, /never sent/],
    [
      "a limit that nobody has set",
      [{ ...granted, limitCost: 2_000 }, ...good.slice(1)],
      undefined,
      /not under/,
    ],
    [
      "a grant that is missing",
      [granted, reserved("a", { grants: [] }), ...good.slice(2)],
      undefined,
      /names grants/,
    ],
    [
      "money after a violation",
      [
        granted,
        reserved("a"),
        sent("a"),
        settled("a", 601),
        reserved("b", { cost: 1 }),
        { step: "released", id: "b", why: "" },
      ],
      undefined,
      /reserved after a violation/,
    ],
    [
      "a window that comes again",
      [
        ...good,
        { ...granted, grant: "u/2026-11-24@local", window: "2026-11-24", at: day + 86_400_000 },
        { ...granted, at: day + 86_400_000 },
      ],
      undefined,
      /was followed by 2026-11-23/,
    ],
    [
      "a window opened too early",
      [...good, { ...granted, grant: "u/2026-11-24@local", window: "2026-11-24" }],
      undefined,
      /before 2026-11-23 was over/,
    ],
    [
      "money counted ahead of time",
      [granted, reserved("a", { at: day + 300_001 }), sent("a"), settled("a", 300)],
      undefined,
      /is counted at 2026-11-23T00:05:00.001Z, and arrived/,
    ],
    [
      "money counted in another window",
      [granted, reserved("a", { at: day - 1 }), ...good.slice(2)],
      undefined,
      /outside of/,
    ],
  ])("%s", (_name, steps, billed, want) => {
    expect(check(evidence(steps, billed)).problems).toContainEqual(expect.stringMatching(want));
  });
});
