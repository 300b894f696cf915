import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import type { Budget, Project } from "../../../pkg/api/generated.ts";
import { serveControl } from "../../../pkg/gateway/control.ts";
import type { MoneyStanding, WindowAccount } from "../../../pkg/gateway/money.ts";
import { writeProcessRecord } from "../../../pkg/gateway/process-record.ts";
import { temporaryWorkspace } from "../testing/operator.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";
import { withMoneyNow } from "./money-now.ts";
import type { Objects } from "./objects.ts";
import { renderStatus } from "./status.ts";

const project = (name: string, status: object): Project =>
  ({ metadata: { name }, spec: { title: name }, status: { phase: "Working", ...status } }) as Project;
const budget = (name: string, status: object, spec: object = {}): Budget =>
  ({ metadata: { name }, spec: { daily: { usd: 5 }, ...spec }, status }) as Budget;
const claim = { agent: "agent-1", number: 1 };
const objects: Objects = {
  ...{ workspaces: [], pools: [], agents: [], reviews: [], escalations: [] },
  projects: [
    project("in-hand", { claim }),
    project("told", { claim, costUSD: 0.5 }),
    project("over", { phase: "Done", costUSD: 2 }),
    project("new", { phase: "Queued" }),
  ],
  budgets: [
    budget("default", { daily: { spentUSD: 0.01, reservedUSD: 0.17 } }, { monthly: { usd: 20 } }),
    // Not in force any more, or not yet.
    budget("of-before", { daily: { spentUSD: 0.4 } }),
  ],
};

let folder: WorkspaceFolder;
beforeEach(async () => {
  folder = temporaryWorkspace();
  mkdirSync(folder.gateway);
  const socketPath = path.join(folder.operator, "gateway.sock");
  await writeProcessRecord(folder.gateway, { pid: 1, startTime: "", port: 1, socketPath });
});
afterEach(() => rmSync(folder.repository, { recursive: true, force: true }));

const account = (window: string, cost: number, reserved: number): WindowAccount => ({
  ...{ window, startMs: 0, endMs: 86_400_000, spent: cost, reserved },
  ...{ spentTokens: 10, reservedTokens: 5, requests: 3, unsettled: 0 },
});
const costs = ({ projects }: Objects) => projects.map(({ status }) => status?.costUSD);

/** A gateway that says so. */
async function listening(standing: (projects: readonly string[]) => MoneyStanding): Promise<void> {
  const server = await serveControl(path.join(folder.operator, "gateway.sock"), {
    standing: ({ projects }: { projects: readonly string[] }) => standing(projects),
  });
  onTestFinished(() => void server.close());
}

test("money is shown as it is now: it was shown as it had been told last, and work in hand as $0.00", async () => {
  let calls = 0;
  const spent: Record<string, number> = { "in-hand": 270_000_000, told: 600_000_000 };
  await listening((projects) => {
    calls += 1;
    const daily = account("1970-01-01", 870_000_000, 130_000_000);
    const monthly = account("1970-01", 2_870_000_000, 130_000_000);
    return {
      accounts: [{ budget: "default", boundViolated: false, daily, monthly }],
      spent: projects.map((name) => ({ cost: spent[name] ?? 0, tokens: 0 })),
    };
  });
  const now = await withMoneyNow(objects, folder);
  expect(costs(now)).toEqual([0.27, 0.6, 2, undefined]);
  const page = renderStatus(now, 0, 120).join("\n");
  expect(page).toContain(
    "Budget default: $0.87 of $5.00 today (17 %, $0.13 reserved), $2.87 of $20.00 this month (14 %, $0.13 reserved)",
  );
  expect(page).toContain("Budget of-before: $0.40 of $5.00 today (8 %)");
  // One for all of it.
  expect(calls).toBe(1);
});

test("without a gateway money is as it was told, and what is not known is not shown as nothing", async () => {
  const now = await withMoneyNow(objects, folder);
  expect(costs(now)).toEqual([undefined, 0.5, 2, undefined]);
  const page = renderStatus(now, 0, 120).join("\n");
  expect(page).not.toMatch(/in-hand.*\$0\.00/);
  expect(page).toContain("Budget default: $0.01 of $5.00 today (0 %, $0.17 reserved)");
});
