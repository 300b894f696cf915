/** What every `Money` does, the gateway's process and its simulated twin alike. */
import { describe, expect, test } from "vitest";
import type { BudgetPolicy, Money, SessionGrant } from "../../pkg/gateway/money.ts";

const GRANT: SessionGrant = {
  session: "contract",
  run: 1,
  agent: "agent-1",
  pool: "builders",
  project: "101-retry",
  purpose: "execute",
  maxOutputTokens: 16_000,
  labels: { team: "blue" },
};

const BUDGET: BudgetPolicy = {
  name: "all",
  uid: "uid-of-all",
  daily: { usd: 5 },
  timeZone: "Europe/Berlin",
  selector: {},
};

/**
 * Registers the suite for one implementation.
 *
 * @param open - a fresh one, with no Budget in force and nothing spent; called once a test, which does not close it
 */
export function moneyContract(name: string, open: () => Promise<{ money: Money }>): void {
  describe(`${name} keeps the contract of Money`, () => {
    test("a session is given the same way in for the same run, and another token for the next", async () => {
      const { money } = await open();
      const first = await money.admit(GRANT);
      expect(await money.admit({ ...GRANT })).toEqual(first);
      expect((await money.admit({ ...GRANT, run: 2 })).token).not.toBe(first.token);
      expect((await money.admit({ ...GRANT, session: "other" })).token).not.toBe(first.token);
    });

    test("dismissing a session that is not there is no error", async () => {
      const { money } = await open();
      await money.admit(GRANT);
      await money.dismiss(GRANT.session);
      await money.dismiss(GRANT.session);
      await money.dismiss("never-admitted");
    });

    test("a Budget that is not in force has no account: unknown, not zero", async () => {
      const { money } = await open();
      expect(await money.account("all")).toBeUndefined();
    });

    test("a Budget in force has an account of its day and its month, in its time zone", async () => {
      const { money } = await open();
      await money.setBudgets([BUDGET]);
      const account = await money.account("all");
      const nothing = { spent: 0, reserved: 0, spentTokens: 0, reservedTokens: 0, requests: 0, unsettled: 0 };
      expect(account).toMatchObject({
        budget: "all",
        boundViolated: false,
        daily: nothing,
        monthly: nothing,
      });
      expect(account?.daily.window).toMatch(/^\d{4}-\d\d-\d\d$/);
      expect(account?.monthly.window).toBe(account?.daily.window.slice(0, 7));
      // A day of 23 to 25 hours, as summer time has it.
      const hours = ((account?.daily.endMs ?? 0) - (account?.daily.startMs ?? 0)) / 3_600_000;
      expect([23, 24, 25]).toContain(hours);
    });

    test("one question tells all accounts and what each Project has spent", async () => {
      const { money } = await open();
      const blue = { ...BUDGET, name: "blue", uid: "uid-of-blue", selector: { team: "blue" } };
      await money.setBudgets([BUDGET, blue]);
      const standing = await money.standing(["none", GRANT.project]);
      expect(standing?.accounts).toEqual([await money.account("all"), await money.account("blue")]);
      const nothing = { cost: 0, tokens: 0 };
      expect(standing?.spent).toEqual([nothing, nothing]);
    });

    test("Budgets are replaced as a whole", async () => {
      const { money } = await open();
      await money.setBudgets([BUDGET]);
      await money.setBudgets([{ ...BUDGET, name: "blue", uid: "uid-of-blue", selector: { team: "blue" } }]);
      expect(await money.account("all")).toBeUndefined();
      expect(await money.account("blue")).toMatchObject({ budget: "blue" });
    });

    test("an earlier window in which nothing was reserved has zeros; of a Budget that is not in force it is unknown", async () => {
      const { money } = await open();
      expect(await money.closedWindow("all", "2020-02-03")).toBeUndefined();
      await money.setBudgets([BUDGET]);
      expect(await money.closedWindow("all", "2020-02-03")).toMatchObject({
        ...{ window: "2020-02-03", spent: 0, reserved: 0, spentTokens: 0, requests: 0 },
      });
    });

    test("an account that nobody used is not used up", async () => {
      const { money } = await open();
      expect(await money.usageLimits()).toEqual([]);
    });

    test("what nobody spent has cost nothing", async () => {
      const { money } = await open();
      await money.setBudgets([BUDGET]);
      await money.admit(GRANT);
      expect(await money.cost({ project: GRANT.project, purpose: "execute" })).toBe(0);
      expect(await money.cost({})).toBe(0);
      expect(await money.spent({ project: GRANT.project })).toEqual({ cost: 0, tokens: 0 });
    });
  });
}
