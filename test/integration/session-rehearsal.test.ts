import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { openGateway } from "../../pkg/gateway/money-client.ts";
import { loadPrompts } from "../../pkg/prompts/load.ts";
import { startRehearsal } from "../../pkg/rehearsal/rehearsal.ts";
import { openStage } from "../../pkg/session/testing/stage.ts";

const prompts = loadPrompts(fileURLToPath(new URL("../../prompts", import.meta.url)));
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

const tasks = [{ id: "T-1", title: "Say more" }];
const criteria = [{ id: "AC-1", text: "It says more" }];
const project = {
  title: "Say more",
  category: "documentation",
  description: "It says little.",
  tasks,
  criteria,
};

test("what sessions are told is understood by a rehearsal: work, review, rework", async () => {
  const rehearsal = await startRehearsal();
  opened.push(rehearsal);
  const stage = await openStage(rehearsal);
  opened.push(stage);
  const base = stage.git("rev-parse", "HEAD").trim();

  const author = stage.spec({
    tasks,
    criteria,
    ...prompts.execute({
      agent: "agent-1",
      project,
      branch: "agent-1/project-1",
      commands: { test: "grep -r 'Say more' docs" },
      protectedPaths: [],
    }),
  });
  await stage.sessions.start(author);
  expect(await stage.outcome(author.id)).toMatchObject({
    kind: "Finished",
    evidence: [{ criterion: "AC-1" }],
  });
  const head = stage.git("rev-parse", "HEAD").trim();
  expect(stage.git("show", "--stat", head)).toContain("docs/rehearsal/say-more.md");
  expect(await stage.sessions.find(author.id)).toMatchObject({ report: { tasksDone: ["T-1"] } });

  const reviewer = stage.spec({
    agent: "agent-2",
    purpose: "review",
    branch: "",
    tasks: [],
    criteria,
    ...prompts.review({
      reviewer: "agent-2",
      persona: undefined,
      project,
      criteria,
      base,
      head,
      summary: "It says more.",
      checks: [{ name: "test", result: "Failed", output: "nothing found" }],
      findings: [],
      diff: stage.git("diff", base, head),
    }),
  });
  await stage.sessions.start(reviewer);
  const judged = await stage.outcome(reviewer.id);
  expect(judged).toMatchObject({ kind: "Judged", judgement: { verdict: "ChangesRequested" } });

  const { message } = prompts.rework({
    cause: "Review",
    cycle: 2,
    cyclesMax: 3,
    feedback: judged.kind === "Judged" ? judged.judgement.feedback : "",
    target: undefined,
    conflictingFiles: [],
  });
  await stage.sessions.start({ ...author, run: 2, message });
  const seen = await stage.until(
    author.id,
    (now) => now.is === "absent" && now.report?.outcome !== undefined,
  );
  expect(seen).toMatchObject({ report: { run: 2, outcome: { kind: "Finished" } } });
  expect(stage.git("rev-list", "--count", `${base}..HEAD`).trim()).toBe("2");
});

test("a session that works through the gateway is paid for, and pauses when its Budget is spent", async () => {
  const rehearsal = await startRehearsal();
  opened.push(rehearsal);
  const root = mkdtempSync(join(tmpdir(), "bosun-paid-"));
  opened.push({ close: async () => rmSync(root, { recursive: true, force: true }) });
  const gateway = await openGateway({
    ledgerDirectory: join(root, "ledger"),
    stateDirectory: join(root, "state"),
    socketPath: join(root, "gateway.sock"),
    upstream: { baseUrl: rehearsal.url, credential: { apiKey: "rehearsal" } },
    admitted: [],
  });
  opened.push({ close: () => gateway.stop() });
  const budget = (usd: number) => ({
    name: "all",
    uid: "uid-of-all",
    daily: { usd },
    timeZone: "UTC",
    selector: {},
  });
  await gateway.setBudgets([budget(5)]);
  const stage = await openStage(rehearsal, { money: gateway });
  opened.push(stage);
  const told = prompts.execute({
    agent: "agent-1",
    project,
    branch: "agent-1/project-1",
    commands: {},
    protectedPaths: [],
  });

  const first = stage.spec({ tasks, criteria, ...told });
  await stage.sessions.start(first);
  expect(await stage.outcome(first.id)).toMatchObject({ kind: "Finished" });
  expect(await gateway.cost({ session: first.id })).toBeGreaterThan(0);

  await gateway.setBudgets([budget(0.0001)]);
  const second = stage.spec({ tasks, criteria, ...told });
  await stage.sessions.start(second);
  expect(await stage.outcome(second.id)).toMatchObject({ kind: "Paused", reason: "BudgetExceeded" });
  expect(await gateway.cost({ session: second.id })).toBe(0);
});
