import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Project } from "../../../pkg/api/generated.ts";
import { serveControl } from "../../../pkg/gateway/control.ts";
import { writeProcessRecord } from "../../../pkg/gateway/process-record.ts";
import { temporaryWorkspace } from "../testing/operator.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";
import type { Objects } from "./objects.ts";
import { withRunningCosts } from "./running-costs.ts";
import { renderStatus } from "./status.ts";

const project = (name: string, status: object): Project =>
  ({ metadata: { name }, spec: { title: name }, status: { phase: "Working", ...status } }) as Project;
const claim = { agent: "agent-1", number: 1 };
const objects: Objects = {
  ...{ workspaces: [], pools: [], agents: [], reviews: [], budgets: [], escalations: [] },
  projects: [
    project("in-hand", { claim }),
    project("told", { claim, costUSD: 0.5 }),
    project("over", { phase: "Done", costUSD: 2 }),
    project("new", { phase: "Queued" }),
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

const costs = async (): Promise<(number | undefined)[]> =>
  (await withRunningCosts(objects, folder)).projects.map(({ status }) => status?.costUSD);

test("work in hand is shown with what it has cost so far: it was shown as $0.00 until it was told", async () => {
  let calls = 0;
  const spent: Record<string, number> = { "in-hand": 270_000_000, told: 600_000_000 };
  const server = await serveControl(path.join(folder.operator, "gateway.sock"), {
    costs({ queries }: { queries: readonly { project: string }[] }) {
      calls += 1;
      return { costs: queries.map(({ project }) => spent[project]) };
    },
  });
  expect(await costs()).toEqual([0.27, 0.6, 2, undefined]);
  // One for all of them.
  expect(calls).toBe(1);
  server.close();
});

test("without a gateway costs are those that were told, and what is not known is not shown as nothing", async () => {
  expect(await costs()).toEqual([undefined, 0.5, 2, undefined]);
  expect(renderStatus(objects, 0, 100).join("\n")).not.toContain("$0.00");
});
