/** Steps of a ledger for tests. */

import { TestClock } from "../../runtime/testing/clock.ts";
import type { Granted, Reserved, Settled, Step } from "../ledger-lines.ts";
import { type Price, priceOf } from "../prices.ts";

export function reservation(id: string, more: Partial<Reserved> = {}): Reserved {
  return {
    step: "reserved",
    id,
    at: new TestClock().now(),
    session: "s",
    run: 1,
    agent: "agent-1",
    pool: "p",
    project: "x",
    purpose: "execute",
    labels: {},
    grants: [],
    model: "claude-sonnet-5-5",
    maxTokens: 100,
    inputTokens: 200,
    cost: 1_000,
    tokens: 300,
    price: priceOf("claude-sonnet-5-5") as Price,
    ...more,
  };
}

const USAGE = { input: 1, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 1 };
export const SETTLED = { step: "settled", status: 200, usage: USAGE, cost: 40, tokens: 2 } as const;

export function settled(id: string, more: Partial<Settled> = {}): Step {
  return { ...SETTLED, id, ...more };
}

/** All agents' limit of 5 USD on the day on which tests' clocks begin. */
export function grantStep(more: Partial<Granted> = {}): Granted {
  const at = new TestClock().now();
  return {
    step: "granted",
    at,
    grant: "g-1",
    holder: "gateway",
    budget: "all",
    uid: "u-1",
    period: "daily",
    window: "2026-11-23",
    startMs: at,
    endMs: at + 86_400_000,
    selector: {},
    limitCost: 5_000_000_000,
    limitTokens: null,
    ...more,
  };
}
