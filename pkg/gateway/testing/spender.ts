/** One who spends, and the Budget that lets it. */
import type { BudgetPolicy, SessionGrant } from "../money.ts";

export const BUDGET: BudgetPolicy = {
  name: "all",
  uid: "u",
  daily: { usd: 5 },
  timeZone: "UTC",
  selector: {},
};

export const SESSION: SessionGrant = {
  session: "s",
  run: 1,
  agent: "agent-1",
  pool: "p",
  project: "x",
  purpose: "execute",
  maxOutputTokens: 16_000,
  labels: {},
};
