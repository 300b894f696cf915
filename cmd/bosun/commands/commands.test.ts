import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import path from "node:path";
import { json } from "node:stream/consumers";
import { expect, test } from "vitest";
import { controlCalls, serveControl } from "../../../pkg/gateway/control.ts";
import type { Reserved } from "../../../pkg/gateway/ledger-lines.ts";
import { priceOf } from "../../../pkg/gateway/prices.ts";
import { writeProcessRecord } from "../../../pkg/gateway/process-record.ts";
import { startTestGateway } from "../../../pkg/gateway/testing/gateway.ts";
import { MemoryLedger } from "../../../pkg/gateway/testing/ledger.ts";
import { reservation } from "../../../pkg/gateway/testing/steps.ts";
import { startTestUpstream } from "../../../pkg/gateway/testing/upstream.ts";
import { startTimeOf } from "../../../pkg/system/process-identity.ts";
import { systemClock } from "../../../pkg/system/system.ts";
import { writeRefusedEdits } from "../refused-edits.ts";
import { runIn, startOperator, until } from "../testing/operator.ts";

const fleet = `
apiVersion: bosun.dev/v1alpha1
kind: Workspace
metadata: { name: library }
spec: {}
---
apiVersion: bosun.dev/v1alpha1
kind: AgentPool
metadata: { name: execution }
spec: { role: Execution, replicas: 2 }
---
apiVersion: bosun.dev/v1alpha1
kind: Agent
metadata: { name: agent-1 }
spec: { pool: execution, role: Execution }
status: { activity: working, project: retry-uploads }
---
apiVersion: bosun.dev/v1alpha1
kind: Agent
metadata: { name: agent-2 }
spec: { pool: review, role: Review }
---
apiVersion: bosun.dev/v1alpha1
kind: Category
metadata: { name: testing }
spec: { mode: Enabled }
---
apiVersion: bosun.dev/v1alpha1
kind: Project
metadata: { name: retry-uploads, labels: { team: blue } }
spec: { title: Retry uploads }
status: { number: 101, phase: Working, progressPercent: 40, costUSD: 0.25 }
---
apiVersion: bosun.dev/v1alpha1
kind: Project
metadata: { name: fix-rounding }
spec: { title: Fix rounding }
---
apiVersion: bosun.dev/v1alpha1
kind: Escalation
metadata: { name: fix-rounding-stuck-1 }
spec: { project: fix-rounding, reason: Stuck, message: Nothing changed. }
status: { state: Open }
`;

const key = (name: string) => ({ namespace: "default", name });

test("get lists a kind by plural, singular or short name, in the columns that the definition declares", async () => {
  await using operator = await startOperator(fleet);
  for (const word of ["projects", "Project", "proj"]) {
    const { exitCode, out } = await operator.run("get", word);
    expect(exitCode).toBe(0);
    expect(out[0]).toMatch(/^NAME\s+NO\s+PHASE\s+AGENT\s+PROGRESS/);
    expect(out.find((line) => line.startsWith("retry-uploads"))).toMatch(
      /^retry-uploads\s+101\s+Working\s+40\s.*\b\ds$/,
    );
  }
});

test.each(["projects", "agents", "agentpools", "workspaces", "escalations", "categories"])(
  "get %s shows the very table that kubectl shows",
  async (plural) => {
    await using operator = await startOperator(fleet);
    const { out } = await operator.run("get", plural, "-o", "wide");
    const table = await tableOf(operator.folder.socket, plural);
    const shown = [
      table.columnDefinitions.map(({ name }) => name.toUpperCase()),
      ...table.rows.map(({ cells }) => cells.map((cell) => String(cell ?? ""))),
    ];
    // Ages move on between the two; the blanks between columns are each one's own.
    const words = (line: string) =>
      line
        .replaceAll(/\b\d+s\b/g, "AGE")
        .split(/\s+/)
        .filter(Boolean);
    expect(out.map(words)).toEqual(shown.map((cells) => words(cells.join(" "))));
  },
);

interface Table {
  columnDefinitions: { name: string }[];
  rows: { cells: unknown[] }[];
}

/** What kubectl asks for. */
async function tableOf(socketPath: string, plural: string): Promise<Table> {
  const path = `/apis/bosun.dev/v1alpha1/namespaces/default/${plural}`;
  const headers = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
  return await new Promise((resolve, reject) => {
    request({ socketPath, path, headers }, (response) => resolve(json(response) as Promise<Table>))
      .on("error", reject)
      .end();
  });
}

test("get gives one object as YAML or JSON, and selects by label", async () => {
  await using operator = await startOperator(fleet);
  const json = await operator.run("get", "project", "retry-uploads", "-o", "json");
  const project = JSON.parse(json.out.join("\n"));
  expect(project).toMatchObject({ kind: "Project", status: { number: 101 } });
  expect(project.metadata).not.toHaveProperty("managedFields");
  const yaml = await operator.run("get", "project", "retry-uploads", "-o", "yaml");
  expect(yaml.out).toContain("  title: Retry uploads");
  const selected = await operator.run("get", "projects", "-l", "team=blue", "-o", "name");
  expect(selected.out).toEqual(["project/retry-uploads"]);
});

test("get -w prints what is there, then a row for each change, until it is interrupted", async () => {
  await using operator = await startOperator(fleet);
  const interrupt = new AbortController();
  const out: string[] = [];
  const watching = runIn(operator.folder.repository, ["get", "projects", "-w", "-o", "wide"], {
    out: (line) => void out.push(line),
    signal: interrupt.signal,
  });
  await until(() => out.length === 3, "header and two rows");
  await operator.client.patch("Project", key("fix-rounding"), { spec: { title: "Round half to even" } });
  await until(() => out.some((line) => line.includes("Round half to even")), "the changed row");
  interrupt.abort();
  expect((await watching).exitCode).toBe(0);
});

test("get all lists every kind that has objects, with qualified names", async () => {
  await using operator = await startOperator(fleet);
  const { out } = await operator.run("get", "all");
  expect(out.filter((line) => line.startsWith("NAME"))).toHaveLength(6);
  expect(out.find((line) => line.startsWith("project/retry-uploads"))).toBeDefined();
});

test("get events tells them in the order in which they happened", async () => {
  const event = (name: string, lastTimestamp: string) => `
---
apiVersion: v1
kind: Event
metadata: { name: ${name} }
involvedObject: { apiVersion: bosun.dev/v1alpha1, kind: Project, namespace: default, name: retry-uploads }
type: Normal
reason: Seen
message: ${name}
lastTimestamp: "${lastTimestamp}"
`;
  await using operator = await startOperator(
    fleet + event("b-first", "2026-01-01T00:00:00Z") + event("a-second", "2026-01-02T00:00:00Z"),
  );
  const { out } = await operator.run("get", "events");
  expect(out.slice(1).map((line) => line.split(/\s+/).at(-1))).toEqual(["b-first", "a-second"]);
});

test("budget reads limits from the Budgets and what was spent from the ledger, whoever writes it", async () => {
  const operator = await startOperator(`
apiVersion: bosun.dev/v1alpha1
kind: Budget
metadata: { name: default }
spec: { daily: { usd: 5 }, monthly: { tokens: 1000 } }
`);
  await using _ = operator;
  const ledger = new MemoryLedger(systemClock);
  const price = priceOf("claude-sonnet-5-5");
  if (price === undefined) throw new Error("The price file has no sonnet.");
  const payer = { session: "s", run: 1, agent: "agent-1", pool: "p", project: "retry", labels: {} };
  const reserved: Omit<Reserved, "id"> = {
    ...payer,
    step: "reserved",
    at: systemClock.now(),
    purpose: "execute",
    grants: [],
    model: price.model,
    price,
    maxTokens: 1,
    inputTokens: 1,
    cost: 500_000_000,
    tokens: 300,
  };
  await ledger.append({ ...reserved, id: "r-1" });
  await ledger.append({ step: "sent", id: "r-1" });
  const usage = { input: 1, output: 1, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 };
  await ledger.append({ step: "settled", id: "r-1", status: 200, usage, cost: 125_000_000, tokens: 200 });
  await ledger.append({ ...reserved, id: "r-2" });
  const folder = path.join(operator.folder.operator, "ledger");
  mkdirSync(folder, { recursive: true });
  const write = (): void =>
    writeFileSync(
      path.join(folder, "ledger.jsonl"),
      ledger.lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
    );
  write();

  const { out } = await operator.run("budget", "--by", "agent");
  expect(out[1]).toMatch(/^default\s+\d{4}-\d\d-\d\d\s+\$5.00\s+\$0.1250\s+\$0.5000\s+\$4.3750\s+2\s+0$/);
  expect(out[2]).toMatch(/^default\s+\d{4}-\d\d\s+1000 tokens\s+200\s+300\s+500\s+2\s+0$/);
  expect(out.at(-1)).toMatch(/^TOTAL\s+\$0.1250\s+200\s+2\s+\$0.5000$/);
  const json = await operator.run("budget", "-o", "json");
  expect(JSON.parse(json.out.join("\n")).budgets[0].windows[0]).toMatchObject({
    ...{ period: "daily", unit: "nano-USD", spent: 125_000_000, reserved: 500_000_000 },
    by: { project: [{ name: "retry", spent: 125_000_000, requests: 2 }] },
  });
  expect(await operator.run("budget", "--by", "mood")).toMatchObject({ exitCode: 2 });

  expect((await operator.run("budget")).notes).toEqual([]);
  for (const id of ["r-3", "r-4", "r-5"]) {
    await ledger.append({ ...reserved, id });
    await ledger.append({ step: "sent", id });
    await ledger.append({ step: "unsettled", id, cost: 500_000_000, tokens: 300, why: "It was cut." });
  }
  write();
  expect((await operator.run("budget")).notes.join()).toContain("requests go one at a time");

  writeFileSync(path.join(folder, "ledger.jsonl"), '{"seq":1,"at":1,"step":"opened"}\n{"seq":3}\n');
  expect(await operator.run("budget")).toMatchObject({
    exitCode: 1,
    notes: [expect.stringContaining("ledger.jsonl")],
  });
  const settled = await operator.run("budget", "settle", "r-1", "--cost", "0.5");
  expect(settled).toMatchObject({ exitCode: 1, notes: [expect.stringContaining("No gateway is running")] });
});

test.each(["much", "$", " ", "$ 1", "-1", "0x10", "Infinity", "1,50", "."])(
  "what is no amount settles nothing, least of all at nothing: %j",
  async (cost) => {
    await using operator = await startOperator("");
    expect(await operator.run("budget", "settle", "r-1", `--cost=${cost}`)).toMatchObject({
      exitCode: 2,
      notes: [expect.stringContaining(`must be an amount in US dollars, 0 or more, not "${cost}"`)],
    });
  },
);

test("what a person says that a request cost, in dollars, is what the ledger then has", async () => {
  await using operator = await startOperator("");
  const { operator: folder, gateway: state } = operator.folder;
  const ledger = new MemoryLedger(systemClock);
  await ledger.append(reservation("r-1"));
  await ledger.append({ step: "sent", id: "r-1" });
  await ledger.append({ step: "unsettled", id: "r-1", cost: 1_000, tokens: 300, why: "It was cut." });
  mkdirSync(state, { recursive: true });
  writeFileSync(
    path.join(folder, "ledger.jsonl"),
    ledger.lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
  );
  await using upstream = await startTestUpstream();
  const gateway = await startTestGateway({ folder, upstream });
  const identity = { pid: process.pid, startTime: (await startTimeOf(process.pid)) ?? "" };
  const socketPath = path.join(folder, "control.sock");
  const calls = controlCalls(gateway, { ...identity, fingerprint: "" }, () => {});
  const control = await serveControl(socketPath, calls);
  await writeProcessRecord(state, { ...identity, port: gateway.port, socketPath });

  const settle = (id: string, cost: string) => operator.run("budget", "settle", id, "--cost", cost);
  expect((await settle("r-1", "$0.123456789")).out).toEqual(["Request r-1 is settled at $0.1235."]);
  expect(gateway.requests(1)).toMatchObject([{ id: "r-1", state: "settled", cost: 123_456_789 }]);
  expect(await settle("r-2", "1")).toMatchObject({
    exitCode: 1,
    notes: [expect.stringContaining("no request r-2")],
  });
  await gateway.stop();
  control.close();
  control.closeAllConnections();
  // It lives, and gives no answer: nothing was settled.
  await expect(settle("r-1", "1")).resolves.toMatchObject({ exitCode: 1, out: [] });
});

test("a Budget is not taken with a time zone that is none", async () => {
  await using operator = await startOperator("");
  const budget = (timeZone: string) => ({
    apiVersion: "bosun.dev/v1alpha1",
    kind: "Budget",
    metadata: { name: timeZone.toLowerCase().replace("/", "-") },
    spec: { daily: { usd: 1 }, timeZone },
  });
  const refused = operator.client.create("Budget", budget("Mars/Phobos") as never);
  await expect(refused).rejects.toThrow("timeZone must be an IANA name, such as Europe/Berlin");
  for (const zone of ["UTC", "Europe/Berlin"]) await operator.client.create("Budget", budget(zone) as never);
});

const fiveDollarsADay = `
apiVersion: bosun.dev/v1alpha1
kind: Budget
metadata: { name: default }
spec: { daily: { usd: 5 } }
`;

test("budget shows no sums of a ledger that was lost: it said that nothing was spent", async () => {
  await using operator = await startOperator(fiveDollarsADay);
  const state = path.join(operator.folder.operator, "gateway");
  mkdirSync(path.join(operator.folder.operator, "state"));
  symlinkSync("state", state);
  writeFileSync(path.join(state, "totals.json"), JSON.stringify({ ledger: "memory", seq: 9, windows: [] }));
  const { exitCode, out, notes } = await operator.run("budget");
  expect({ exitCode, out }).toEqual({ exitCode: 1, out: [] });
  expect(notes.join()).toContain("ledger.jsonl is missing");
  expect(notes.join()).toContain("bosun budget rebuild");
});

test("a ledger is made anew when no gateway runs that has it, and only then", async () => {
  await using operator = await startOperator(fiveDollarsADay);
  const ledger = path.join(operator.folder.operator, "ledger", "ledger.jsonl");
  const state = path.join(operator.folder.operator, "state");
  for (const folder of [path.dirname(ledger), state]) mkdirSync(folder);
  symlinkSync("state", path.join(operator.folder.operator, "gateway"));
  const damaged = '{"seq":3}\n{"seq":4}\n';
  writeFileSync(ledger, damaged);
  const gateway = {
    pid: process.pid,
    startTime: await startTimeOf(process.pid),
    port: 1,
    socketPath: "none",
  };
  const record = (one: object) => writeFileSync(path.join(state, "gateway.json"), JSON.stringify(one));

  record(gateway);
  for (const how of [[], ["--write"]]) {
    const { exitCode, notes } = await operator.run("budget", "rebuild", ...how);
    expect([exitCode, notes.join()]).toEqual([1, expect.stringContaining("A gateway is running")]);
  }
  expect(readFileSync(ledger, "utf8")).toBe(damaged);
  // It is gone, and its number is another process's.
  record({ ...gateway, startTime: "0" });
  expect((await operator.run("budget", "rebuild")).out.join()).toContain("Nothing was changed.");
  expect(readFileSync(ledger, "utf8")).toBe(damaged);
  expect((await operator.run("budget", "rebuild", "--write")).out.join()).toContain("was made anew");
  expect(readFileSync(ledger, "utf8")).toContain('"step":"rebuilt"');
});

test("an unknown kind or name is answered with the nearest one", async () => {
  await using operator = await startOperator(fleet);
  const kind = await operator.run("get", "projcts");
  expect(kind).toMatchObject({ exitCode: 2, notes: [expect.stringContaining('Did you mean "projects"?')] });
  const name = await operator.run("describe", "project", "retry-upload");
  expect(name).toMatchObject({
    exitCode: 1,
    notes: [expect.stringContaining('Did you mean "retry-uploads"?')],
  });
});

test("describe tells spec, status, conditions and events", async () => {
  await using operator = await startOperator(`${fleet}
---
apiVersion: v1
kind: Event
metadata: { name: seen.1 }
involvedObject: { apiVersion: bosun.dev/v1alpha1, kind: Project, namespace: default, name: retry-uploads }
type: Warning
reason: Stuck
message: No file changed.
lastTimestamp: "2026-01-01T00:00:00Z"
`);
  const { out } = await operator.run("describe", "project", "retry-uploads");
  expect(out).toContain("  title: Retry uploads");
  expect(out).toContain("  phase: Working");
  expect(out).toContain("Conditions: none");
  expect(out.at(-1)).toMatch(/Warning\s+Stuck\s+1\s+No file changed\./);
});

test("describe without a name tells of all objects of the kind", async () => {
  await using operator = await startOperator(fleet);
  const { exitCode, out } = await operator.run("describe", "projects");
  expect(exitCode).toBe(0);
  const names = out.filter((line) => line.startsWith("Name:"));
  expect(names.map((line) => line.split(/\s+/)[1])).toEqual(["fix-rounding", "retry-uploads"]);
  expect((await operator.run("describe", "reviews")).notes).toContain("No reviews found.");
});

test.each([
  [["pause"], "Workspace", "library", { mode: "Paused" }],
  [["resume"], "Workspace", "library", { mode: "Running" }],
  [["pause", "agent-1"], "Agent", "agent-1", { paused: true }],
  [["resume", "agent-1"], "Agent", "agent-1", { paused: false }],
  [["pause", "pool", "execution"], "AgentPool", "execution", { paused: true }],
  [["pause", "category", "testing"], "Category", "testing", { mode: "Paused" }],
  [["scale", "execution", "5"], "AgentPool", "execution", { replicas: 5 }],
  [["assign", "fix-rounding", "agent-1"], "Project", "fix-rounding", { assignedAgent: "agent-1" }],
  [["skip", "fix-rounding"], "Project", "fix-rounding", { skip: true }],
  [["skip", "fix-rounding", "--undo"], "Project", "fix-rounding", { skip: false }],
  [["restart", "agent-1"], "Agent", "agent-1", { restartedAt: expect.stringMatching(/^20.*Z$/) }],
  [
    ["resolve", "fix-rounding-stuck-1", "continue", "Look at the tests."],
    "Escalation",
    "fix-rounding-stuck-1",
    { resolution: { action: "Continue", note: "Look at the tests." } },
  ],
] as const)("bosun %j is seen in the spec of %s %s", async (args, kind, name, spec) => {
  await using operator = await startOperator(fleet);
  const { exitCode, out } = await operator.run(...args);
  expect(exitCode).toBe(0);
  expect(out).not.toEqual([]);
  expect(await operator.client.get(kind, key(name))).toMatchObject({ spec });
});

test("a Project that is done is not said to be skipped, nor to be back in the queue", async () => {
  await using operator = await startOperator(`
apiVersion: bosun.dev/v1alpha1
kind: Project
metadata: { name: pad-numbers }
spec: { title: Pad numbers }
status: { phase: Done }
`);
  const { exitCode, notes } = await operator.run("skip", "pad-numbers");
  expect([exitCode, notes.join()]).toEqual([1, expect.stringContaining("nothing left to skip")]);
  expect(await operator.client.get("Project", key("pad-numbers"))).toMatchObject({ spec: { skip: false } });
  const { out } = await operator.run("skip", "pad-numbers", "--undo");
  expect(out.join()).toContain("it stays Done");
});

test("unassign takes the assignment away", async () => {
  await using operator = await startOperator(fleet);
  await operator.run("assign", "fix-rounding", "agent-1");
  await operator.run("unassign", "fix-rounding");
  expect((await operator.client.get("Project", key("fix-rounding")))?.spec.assignedAgent).toBeUndefined();
});

test.each([
  [["scale", "execution", "11"], 2, "from 0 to 10"],
  [["scale", "executon", "1"], 1, 'Did you mean "execution"?'],
  [["pause", "pool"], 2, "Say what"],
  [["pause", "agent", "agent-1", "agent-2"], 2, "Say what"],
  [["assign", "fix-rounding", "agent-2"], 1, "agent-2 reviews"],
  [["resolve", "fix-rounding-stuck-1", "Approve"], 2, "Answers: Continue, Reassign, Abandon."],
  [["stop"], 1, "--emergency"],
  [["gett", "projects"], 2, "(Did you mean get?)"],
] as const)("bosun %j is refused with exit code %d and a way on", async (args, wantCode, wantNote) => {
  await using operator = await startOperator(fleet);
  const { exitCode, notes } = await operator.run(...args);
  expect(exitCode).toBe(wantCode);
  expect(notes.join("\n")).toContain(wantNote);
});

test("a refusal of the API is told in its own words, without a stack", async () => {
  await using operator = await startOperator(fleet);
  await operator.run("resolve", "fix-rounding-stuck-1", "Continue");
  const again = await operator.run("resolve", "fix-rounding-stuck-1", "Abandon");
  expect(again).toMatchObject({
    exitCode: 1,
    notes: ["bosun: fix-rounding-stuck-1 was answered already, with Continue."],
  });
});

test("escalations say what can be answered, and go away once answered", async () => {
  await using operator = await startOperator(fleet);
  expect((await operator.run("escalations")).out).toContain(
    "  Answer: bosun resolve fix-rounding-stuck-1 Continue|Reassign|Abandon [NOTE]",
  );
  await operator.run("resolve", "fix-rounding-stuck-1", "Continue");
  expect((await operator.run("escalations")).notes).toEqual(["There are no open escalations."]);
});

test("status shows the whole workspace on one page", async () => {
  await using operator = await startOperator(fleet);
  const { out } = await operator.run("status");
  expect(out.join("\n")).toContain("Projects: 1 Queued, 1 Working");
  expect(out.find((line) => line.startsWith("agent-1"))).toMatch(/working\s+retry-uploads\s+Working\s+40%/);
});

test("why answers for one and for all", async () => {
  await using operator = await startOperator(fleet);
  expect((await operator.run("why", "fix-rounding")).out[0]).toContain("A person has to decide (Stuck)");
  expect((await operator.run("why")).out[0]).toContain("There is no Budget");
  expect((await operator.run("why", "nobody")).exitCode).toBe(1);
});

test("accept-deletions is written where the operator looks", async () => {
  await using operator = await startOperator(fleet);
  expect((await operator.run("accept-deletions")).exitCode).toBe(0);
  const workspace = await operator.client.get("Workspace", key("library"));
  expect(workspace?.metadata.annotations).toMatchObject({
    "bosun.dev/deletions-accepted-at": expect.stringMatching(/Z$/),
  });
});

test("an edit that was not taken is told of where people look, also where what it declares is nowhere to be found", async () => {
  await using operator = await startOperator(fleet);
  const refused = 'projects/new.yaml:6: unknown field "spec.titel". Nothing of this edit was taken.';
  writeRefusedEdits(operator.folder, [refused]);
  expect((await operator.run("status")).out.at(-1)).toBe(`Warning: ${refused}`);
  expect((await operator.run("why")).out.at(-1)).toBe(refused);
  const { exitCode, notes } = await operator.run("why", "new");
  expect(exitCode).toBe(1);
  expect(notes.join("\n")).toContain(refused);
  writeRefusedEdits(operator.folder, []);
  expect((await operator.run("status")).out.join("\n")).not.toContain("titel");
});
