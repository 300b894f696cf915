import { expect, test } from "vitest";
import type { Project, ProjectEstimate } from "../../pkg/api/generated.ts";
import { NANO_PER_USD } from "../../pkg/gateway/money.ts";
import { TestClock } from "../../pkg/runtime/testing/clock.ts";
import type { Deps } from "../deps.ts";
import { aBudget, anAgent, aProject, condition } from "../testing/objects.ts";
import { openQueue } from "./queue.ts";

/** A Project in the queue, after those of a lower number. */
function queued(number: number, usd: number, more: Project["status"] = {}): Project {
  const estimate = {
    ...{ usd, lowUSD: usd, highUSD: usd, tokens: 1, lowTokens: 1, highTokens: 1 },
    ...{ coveragePercent: 75, projects: 7 },
  } satisfies ProjectEstimate;
  const name = `p-${number}`;
  const project = aProject({ estimate, creationRevision: String(number), ...more });
  return { ...project, metadata: { ...project.metadata, name, uid: name } };
}

test("who has waited for money since before the window opened comes before those behind it, and nobody else", async () => {
  // Said at noon; of this window nine of ten dollars are left.
  const waits = { conditions: [condition("Affordable", "False", "TooLittleLeft")] };
  const projects = [queued(1, 1), queued(2, 9.5, waits), queued(3, 1)];
  const objects = { Budget: [aBudget()], Project: projects, Agent: [anAgent()], Category: [] };
  const sums = { spent: NANO_PER_USD, reserved: 0, spentTokens: 0, reservedTokens: 0 };
  const day = { ...sums, requests: 1, unsettled: 0, window: "2026-01-06" };
  const startMs = Date.UTC(2026, 0, 6);
  const account = { ...day, startMs, endMs: startMs + 86_400_000 };
  const accounts = [{ budget: "all", daily: account, monthly: account, boundViolated: false }];
  const queue = openQueue({
    client: { list: async (kind: keyof typeof objects) => ({ items: objects[kind] }) },
    money: { standing: async () => ({ accounts, spent: [] }) },
    clock: new TestClock(),
    namespace: "default",
  } as unknown as Deps);
  const found = await Promise.all(projects.map((project) => queue.standingOf(project)));
  expect(found).toMatchObject([
    { is: "Fits" },
    { is: "TooLittleLeft" },
    { is: "Behind", project: "p-2", since: "2026-01-05T12:00:00Z" },
  ]);
});
