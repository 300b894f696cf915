import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { Tokens } from "../gateway/tokens.ts";
import type { Clock } from "../runtime/clock.ts";
import { temporaryPath } from "../storage/replace-file.ts";
import { releasedPath } from "../system/latch-files.ts";
import { pidSpace } from "../system/pid-space.ts";
import { isAlive, type ProcessIdentity } from "../system/process-identity.ts";
import { systemClock, systemRandom } from "../system/system.ts";
import { runHost } from "./host.ts";
import { markedProcesses } from "./process-tree.ts";
import { type HostFile, type SessionFolder, sessionFolder } from "./session-folder.ts";
import type { SessionObservation, SessionSpec } from "./sessions.ts";
import type { OperatorOrder } from "./testing/operator.ts";
import { openStage, type Stage } from "./testing/stage.ts";
import { type AskedRequest, openUpstream, type Turn, type Upstream } from "./testing/upstream.ts";

const opened: (Stage | Upstream)[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

type RunningHost = HostFile & { state: "running" };
type Script = readonly Turn[] | ((request: AskedRequest, index: number) => Turn);

async function stageWith(script: Script, options: Parameters<typeof openStage>[1] = {}) {
  const inOrder = (_request: AskedRequest, index: number) =>
    (script as readonly Turn[])[index] ?? { say: "Nothing left." };
  const upstream = await openUpstream(typeof script === "function" ? script : inOrder);
  opened.push(upstream);
  const stage = await openStage(upstream, options);
  opened.push(stage);
  return { upstream, stage };
}

/** The real clock, and how long the operator has slept: what it waits for by itself, however starved the machine is. */
function countingClock(): Clock & { sleptMs: number } {
  const clock = {
    ...systemClock,
    sleptMs: 0,
    async sleep(ms: number, signal?: AbortSignal) {
      await systemClock.sleep(ms, signal);
      clock.sleptMs += ms;
    },
  };
  return clock;
}

const commit = { call: "bash", input: { command: "git add -A && git commit -qm 'Say more'" } };
const write = { call: "write_file", input: { path: "more.txt", content: "more\n" } };
const handIn = {
  call: "request_review",
  input: { summary: "It says more.", evidence: [{ criterion: "AC-1", evidence: "more.txt" }] },
};
const bash = (command: string) => ({ call: "bash", input: { command } });
/** Waits in a tool call until the test makes the file. */
const waitFor = (file: string) => `while [ ! -e ${file} ]; do sleep 0.02; done`;

/** What the gateway answers where a Budget has too little left. */
const overBudget = {
  status: 402,
  message: "BudgetExceeded",
  headers: { "x-bosun-reason": "BudgetExceeded" },
};

describe("a whole run", () => {
  test("a session writes, commits, reports its tasks, hands in, and its outcome is found", async () => {
    const { upstream, stage } = await stageWith([
      write,
      commit,
      { call: "task_done", input: { task: "T-1" } },
      handIn,
    ]);
    const spec = stage.spec();
    await stage.sessions.start(spec);

    expect(await stage.outcome(spec.id)).toEqual({
      kind: "Finished",
      summary: "It says more.",
      evidence: [{ criterion: "AC-1", evidence: "more.txt" }],
    });
    expect(stage.git("show", "HEAD:more.txt")).toBe("more\n");
    const seen = await stage.sessions.find(spec.id);
    expect(seen).toMatchObject({
      is: "absent",
      report: { run: 1, turns: 4, tasksDone: ["T-1"], busy: false },
    });
    expect(new Set(upstream.authorizations)).toEqual(new Set([`Bearer ${spec.id}/1`]));
    expect(await stage.sessions.running()).toEqual([]);
    const file = parse(readFileSync(join(stage.sessionFilesDirectory, "agent-1.session"), "utf8"));
    expect(file).toMatchObject({ agent_id: "agent-1", status: "working", session_id: spec.id, claim: 1 });

    const folder = sessionFolder(stage.places.directory, spec.id);
    const launch = folder.readLaunch();
    // As by an operator that does not know its outcome yet: there is nothing to start a host for.
    expect(await stage.sessions.start(spec)).toEqual(seen);
    expect(folder.readLaunch()).toEqual(launch);
  });

  test("a review's verdict is validated, corrected by the model, and found", async () => {
    const standards = ["TestsPass", "LintClean", "NoSecurityIssue", "CriteriaMet", "Documented"].map(
      (name) => ({
        name,
        met: true,
        evidence: "Seen.",
      }),
    );
    const judgement = { verdict: "Approved", criteria: [], standards, findings: [], feedback: "" };
    const criteria = [{ id: "AC-1", met: true, evidence: "readme.txt:1" }];
    const { upstream, stage } = await stageWith([
      { call: "submit_review", input: judgement },
      { call: "submit_review", input: { ...judgement, criteria } },
    ]);
    const spec = stage.spec({ purpose: "review", branch: "", tasks: [] });
    await stage.sessions.start(spec);

    expect(await stage.outcome(spec.id)).toEqual({ kind: "Judged", judgement: { ...judgement, criteria } });
    expect(upstream.requests[0]?.tools.map(({ name }) => name)).toEqual([
      "bash",
      "read_file",
      "submit_review",
    ]);
    expect(lastResult(upstream)).toMatchObject({ is_error: true, content: "The criterion AC-1 is missing." });
  });

  test("a new run goes on from the same transcript with the new message", async () => {
    const { upstream, stage } = await stageWith([write, commit, handIn, handIn, handIn]);
    const spec = stage.spec();
    await stage.sessions.start(spec);
    await stage.outcome(spec.id);
    await stage.sessions.start({ ...spec, run: 2, message: "Review feedback (cycle 2 of 3)" });

    const seen = await stage.until(
      spec.id,
      (now) => now.is === "absent" && now.report?.outcome !== undefined,
    );
    expect(seen).toMatchObject({ report: { run: 2, turns: 2, outcome: { kind: "Finished" } } });
    const rework = upstream.requests[3]?.messages.at(-1)?.content;
    expect(rework).toMatchObject([
      { type: "tool_result", content: "Handed in." },
      { type: "text", text: "Review feedback (cycle 2 of 3)" },
    ]);
    expect(lastResult(upstream)?.content).toMatch(/^Nothing was committed in this run/);
  });

  test("work that is not committed or lacks evidence is not handed in", async () => {
    const empty = { call: "request_review", input: { summary: "Done.", evidence: [] } };
    const { upstream, stage } = await stageWith([write, handIn, empty, commit, handIn]);
    const spec = stage.spec();
    await stage.sessions.start(spec);

    expect(await stage.outcome(spec.id)).toMatchObject({ kind: "Finished" });
    const results = resultsIn(upstream.requests.at(-1));
    expect(results[1]?.content).toMatch(/^Not everything is committed/);
    expect(results[2]?.content).toBe("The criterion AC-1 is missing.");
  });
});

describe("how a run ends without finishing", () => {
  const cases: [string, Script, object][] = [
    [
      "a model that stops calling tools is asked three times, then the run fails",
      () => ({ say: "Done." }),
      { kind: "Failed", reason: "FellSilent" },
    ],
    ["a run that takes all its turns fails", () => bash("true"), { kind: "Failed", reason: "TurnLimit" }],
    [
      "an exhausted budget pauses it",
      [
        {
          status: 402,
          message: "BudgetExceeded: Budget main has 0.01 USD left",
          headers: { "x-bosun-reason": "BudgetExceeded", "x-should-retry": "false" },
        },
      ],
      { kind: "Paused", reason: "BudgetExceeded" },
    ],
    [
      "a missing budget pauses it",
      [{ status: 402, message: "none matches", headers: { "x-bosun-reason": "NoBudget" } }],
      { kind: "Paused", reason: "NoBudget" },
    ],
    [
      "a refused request fails it",
      [{ status: 400, message: "threads are refused" }],
      { reason: "RequestRefused" },
    ],
    ["answers that never arrive whole fail it", () => ({ cut: true }), { reason: "AnswersLost" }],
  ];
  test.each(cases)("%s", async (_name, script, outcome) => {
    const { stage } = await stageWith(script);
    const spec = stage.spec({ maxTurns: 5 });
    await stage.sessions.start(spec);
    expect(await stage.outcome(spec.id)).toMatchObject(outcome);
  });

  test("a paused run goes on when it is started again", async () => {
    const { stage } = await stageWith([write, overBudget, commit, handIn]);
    const spec = stage.spec();
    await stage.sessions.start(spec);
    expect(await stage.outcome(spec.id)).toMatchObject({ kind: "Paused" });
    await stage.sessions.start(spec);
    const seen = await stage.until(
      spec.id,
      (now) => now.is === "absent" && now.report?.outcome?.kind !== "Paused",
    );
    expect(seen).toMatchObject({ report: { run: 1, turns: 3, outcome: { kind: "Finished" } } });
  });

  test("a paused run whose host does not leave goes on in another when it is started again", async () => {
    const hostCommand = [
      process.execPath,
      fileURLToPath(new URL("./testing/staying-host.ts", import.meta.url)),
    ];
    const { stage } = await stageWith([write, overBudget, commit, handIn], { hostCommand });
    const spec = stage.spec();
    await stage.sessions.start(spec);
    const outcomeOf = (seen: SessionObservation) =>
      seen.is === "present" ? seen.report.outcome?.kind : undefined;
    await stage.until(spec.id, (seen) => outcomeOf(seen) === "Paused");
    await stage.sessions.start(spec);
    const seen = await stage.until(
      spec.id,
      (now) => outcomeOf(now) !== "Paused" && outcomeOf(now) !== undefined,
    );
    expect(seen).toMatchObject({ report: { run: 1, turns: 3, outcome: { kind: "Finished" } } });
  });

  test("a run is told of the gateway that came after the one it began with, also one that is started again", async () => {
    let token = "first";
    const pause = [write, overBudget, bash(waitFor("../go")), commit, handIn];
    const { upstream, stage } = await stageWith(pause, {
      money: { admit: async () => ({ url: upstream.url, token }), dismiss: async () => undefined },
    });
    const following = new AbortController();
    onTestFinished(() => following.abort());
    stage.sessions.subscribe(() => undefined, following.signal);
    const spec = stage.spec();
    await stage.sessions.start(spec);
    expect(await stage.outcome(spec.id)).toMatchObject({ kind: "Paused" });
    await stage.sessions.start(spec);
    token = "second";
    const folder = sessionFolder(stage.places.directory, spec.id);
    await expect.poll(() => folder.readAccess()).toMatchObject({ token });
    writeFileSync(join(stage.checkout, "../go"), "");
    const seen = await stage.until(
      spec.id,
      (now) => now.is === "absent" && now.report?.outcome?.kind !== "Paused",
    );
    expect(seen).toMatchObject({ report: { outcome: { kind: "Finished" } } });
  });

  test("a failed run goes on when it is started again, with its limits anew, and the model is told why", async () => {
    const { upstream, stage } = await stageWith([bash("true"), bash("true"), write, commit, handIn]);
    const spec = stage.spec({ maxTurns: 2 });
    await stage.sessions.start(spec);
    expect(await stage.outcome(spec.id)).toMatchObject({ kind: "Failed", reason: "TurnLimit" });
    await stage.sessions.start({ ...spec, maxTurns: 3 });
    const seen = await stage.until(
      spec.id,
      (now) => now.is === "absent" && now.report?.outcome?.kind !== "Failed",
    );
    expect(seen).toMatchObject({ report: { run: 1, turns: 5, outcome: { kind: "Finished" } } });
    expect(JSON.stringify(upstream.requests[2]?.messages.at(-1))).toContain(
      "The run took all of its 2 turns.",
    );
  });
});

describe("passing failures of the upstream", () => {
  test("429 with retry-after, 529 and a cut answer are asked again, and the work goes on", async () => {
    const { upstream, stage } = await stageWith([
      { status: 429, message: "slow down", headers: { "retry-after": "0" } },
      { status: 529, message: "overloaded", headers: { "retry-after": "0" } },
      { cut: true },
      write,
      commit,
      handIn,
    ]);
    const spec = stage.spec();
    await stage.sessions.start(spec);
    expect(await stage.outcome(spec.id)).toMatchObject({ kind: "Finished" });
    expect(upstream.requests).toHaveLength(6);
    expect(stage.transcript(spec.id).filter(({ type }) => type === "lost")).toHaveLength(1);
  });
});

describe.each(["Best", "Marker"] as const)("stopping and crashing, containment %s", (containment) => {
  test("stop after the turn lets the running call end, and a start continues the run", async () => {
    const { upstream, stage } = await stageWith(
      [bash(`echo once >> more.txt; ${waitFor("../go")}`), commit, handIn],
      { containment },
    );
    const spec = stage.spec();
    await stage.sessions.start(spec);
    await stage.until(spec.id, () => existsSync(join(stage.checkout, "more.txt")));
    await stage.sessions.stop(spec.id, "AfterTurn");
    writeFileSync(join(stage.checkout, "../go"), "");

    expect(await stage.outcome(spec.id)).toMatchObject({ kind: "Paused", reason: "Requested" });
    expect(upstream.requests).toHaveLength(1);
    await stage.sessions.start(spec);
    await stage.until(spec.id, (now) => now.is === "absent" && now.report?.outcome?.kind === "Finished");
    expect(stage.git("show", "HEAD:more.txt")).toBe("once\n");
  });

  test("stop now ends stubborn process trees without waiting for them, and proves it", async () => {
    const stubborn =
      "touch started; trap '' TERM HUP INT; (setsid sh -c 'trap \"\" TERM; (setsid sleep 600 &) ; sleep 600' &); sleep 600";
    const clock = countingClock();
    const { stage } = await stageWith([bash(stubborn)], { containment, clock });
    const spec = stage.spec();
    await stage.sessions.start(spec);
    await stage.until(spec.id, () => existsSync(join(stage.checkout, "started")));

    clock.sleptMs = 0;
    await stage.sessions.stop(spec.id, "Now");
    expect(clock.sleptMs).toBeLessThan(1000);
    expect(await markedProcesses(spec.id)).toEqual([]);
    const seen = await stage.sessions.find(spec.id);
    expect(seen.is === "absent" && seen.report?.outcome).toBeUndefined();
  });

  test("killing the one outermost process leaves nothing of the session, and is seen without waiting", async () => {
    const tree =
      "touch started; (setsid sh -c 'trap \"\" TERM; (setsid sleep 600 &); sleep 600' &); sleep 600";
    const clock = countingClock();
    const { stage } = await stageWith([bash(tree)], { containment, clock });
    const spec = stage.spec();
    await stage.sessions.start(spec);
    const seen = await stage.until(spec.id, () => existsSync(join(stage.checkout, "started")));

    clock.sleptMs = 0;
    if (seen.is === "present") process.kill(seen.pid, "SIGKILL");
    await stage.until(spec.id, (now) => now.is === "absent");
    expect(clock.sleptMs).toBeLessThan(1000);
    expect(await markedProcesses(spec.id)).toEqual([]);
    // Once what it left is cleared away, no later operator takes it for an end that nobody saw.
    await stage.sessions.stop(spec.id, "Now");
    expect(await (await stage.reopen()).find(spec.id)).not.toHaveProperty("unwitnessed");
  });

  test("a call that was running when the host was killed is not repeated, and the model is told", async () => {
    const { upstream, stage } = await stageWith(
      (_request, index) => [bash("echo once >> more.txt; sleep 600"), commit, handIn][index] ?? { say: "?" },
      { containment },
    );
    const spec = stage.spec();
    await stage.sessions.start(spec);
    const more = join(stage.checkout, "more.txt");
    // Made empty, then written.
    const isWritten = (): boolean => existsSync(more) && readFileSync(more, "utf8") !== "";
    const seen = await stage.until(spec.id, isWritten);
    if (seen.is === "present") process.kill(seen.pid, "SIGKILL");
    await stage.until(spec.id, (now) => now.is === "absent");
    await stage.sessions.start(spec);

    const ended = await stage.until(
      spec.id,
      (now) => now.is === "absent" && now.report?.outcome !== undefined,
    );
    expect(ended).toMatchObject({ report: { outcome: { kind: "Finished" } } });
    expect(stage.git("show", "HEAD:more.txt")).toBe("once\n");
    expect(resultsIn(upstream.requests[1])[0]).toMatchObject({
      is_error: true,
      content: "The session was interrupted during this call: outcome unknown, look before repeating.",
    });
  });

  test("a host killed while it waits for the model asks that turn again", async () => {
    const { upstream, stage } = await stageWith(
      (_request, index) => [write, { hang: true } as const, commit, handIn][index] ?? { say: "?" },
      { containment },
    );
    const spec = stage.spec();
    await stage.sessions.start(spec);
    await upstream.asked(2);
    const seen = await stage.sessions.find(spec.id);
    if (seen.is === "present") process.kill(seen.pid, "SIGKILL");
    await stage.until(spec.id, (now) => now.is === "absent");
    await stage.sessions.start(spec);
    await stage.until(spec.id, (now) => now.is === "absent" && now.report?.outcome?.kind === "Finished");
    expect(upstream.requests[2]?.messages).toEqual(upstream.requests[1]?.messages);
  });

  test("the emergency latch ends a host and all it started, with nobody's help", async () => {
    const { stage } = await stageWith([bash("touch started; (setsid sleep 600 &); sleep 600")], {
      containment,
    });
    const spec = stage.spec();
    await stage.sessions.start(spec);
    await stage.until(spec.id, () => existsSync(join(stage.checkout, "started")));

    writeFileSync(stage.stopLatch, "");
    await stage.until(spec.id, (now) => now.is === "absent");
    expect(await markedProcesses(spec.id)).toEqual([]);
    await expect(stage.sessions.start(spec)).rejects.toMatchObject({ reason: "Stopped" });
    expect(await stage.sessions.find(spec.id)).toMatchObject({ is: "absent", ordered: true });
  });
});

describe("a host that can't be started", () => {
  test("is told with what it said as soon as it has ended, and nothing of it is left", async () => {
    const hostCommand = ["sh", "-c", "sleep 600 & echo 'It is broken.' >&2; exit 1"];
    // Time stands still: nothing is given up for having taken too long.
    const clock = { ...systemClock, elapsed: () => 0 };
    const { stage } = await stageWith([], { hostCommand, clock, containment: "Marker" });
    const spec = stage.spec();
    await expect(stage.sessions.start(spec)).rejects.toMatchObject({
      reason: "HostNotStarted",
      message: expect.stringContaining("It is broken."),
    });
    expect(await stage.sessions.find(spec.id)).toMatchObject({ is: "absent" });
    expect(await markedProcesses(spec.id)).toEqual([]);
  });

  test("on a full disk says so, and that passes by itself; one that dies there is no fault of its session's", async () => {
    let bytes = 1e9;
    const roomIn = () => ({ bytes, files: 1e6 });
    const { stage } = await stageWith([bash("touch started; sleep 600")], { roomIn });
    const spec = stage.spec();
    await stage.sessions.start(spec);
    await stage.until(spec.id, () => existsSync(join(stage.checkout, "started")));
    bytes = 0;
    const seen = await stage.sessions.find(spec.id);
    expect(seen).not.toHaveProperty("unwitnessed");
    if (seen.is === "present") process.kill(seen.pid, "SIGKILL");
    await stage.until(spec.id, (now) => now.is === "absent" && now.unwitnessed === true);

    const broken = await stageWith([], { roomIn, hostCommand: ["false"], containment: "Marker" });
    const starting = broken.stage.sessions.start(broken.stage.spec());
    await expect(starting).rejects.toMatchObject({ reason: "DiskFull" });
  });

  test("because its transcript is damaged says in which line", async () => {
    const { stage } = await stageWith([overBudget]);
    const spec = stage.spec();
    await stage.sessions.start(spec);
    await stage.outcome(spec.id);
    const transcript = join(stage.places.directory, spec.id, "transcript.jsonl");
    writeFileSync(transcript, `nonsense\n${readFileSync(transcript, "utf8")}`);
    await expect(stage.sessions.start(spec)).rejects.toMatchObject({
      reason: "HostNotStarted",
      message: expect.stringContaining("transcript.jsonl:1 is damaged"),
    });
  });
});

test("a host took an order to end at once, seen before it was ended, for one to pause, and told an outcome", async () => {
  const { stage } = await stageWith([bash(`touch started; ${waitFor("../go")}`), write, commit, handIn]);
  const spec = stage.spec();
  await stage.sessions.start(spec);
  await stage.until(spec.id, () => existsSync(join(stage.checkout, "started")));
  sessionFolder(stage.places.directory, spec.id).writeOrder("Now");
  writeFileSync(join(stage.checkout, "../go"), "");
  expect(await stage.outcome(spec.id)).toMatchObject({ kind: "Finished" });
});

test.each([
  { isToldBy: "its operator when it can be" },
  { isToldBy: "the next operator before that is there" },
])(
  "a gateway that can't be told that a session is over keeps nobody from ending it, and is told by $isToldBy",
  async ({ isToldBy }) => {
    const tokens = new Tokens("secret");
    let isAway = true;
    const { upstream, stage } = await stageWith([bash("sleep 600")], {
      money: {
        admit: async (grant) => ({ url: upstream.url, token: tokens.admit(grant) }),
        dismiss: async (id) => {
          if (isAway) throw new Error("The gateway can't be asked.");
          tokens.dismiss(id);
        },
      },
    });
    const spec = stage.spec();
    await stage.sessions.start(spec);
    await stage.sessions.stop(spec.id, "Now");
    expect(await stage.sessions.find(spec.id)).toMatchObject({ is: "absent", ordered: true });
    isAway = false;
    if (isToldBy.startsWith("the next")) await stage.reopen();
    else {
      const following = new AbortController();
      onTestFinished(() => following.abort());
      stage.sessions.subscribe(() => undefined, following.signal);
      await expect.poll(() => tokens.grants().length).toBe(0);
    }
    expect(tokens.grants()).toEqual([]);
  },
);

test.each([
  { since: "that has ended since" },
  { since: "that has another host since" },
  { since: "that has ended since, while it was away for a moment", away: 1 },
])(
  "a renewal that comes to the gateway late lets no host spend of a session $since: its last one could",
  async ({ since, away = 0 }) => {
    const tokens = new Tokens("secret");
    const asked = Promise.withResolvers<void>();
    const goesOn = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const looks: (() => void)[] = [];
    let isLate = false;
    let hasArrived = false;
    let refusals = 0;
    /** What the host had to ask with when the gateway was asked again. */
    const usable: boolean[] = [];
    const { upstream, stage } = await stageWith([bash("sleep 600"), bash("sleep 600")], {
      // It looks once, and then when it is told to.
      clock: {
        ...systemClock,
        sleep: (ms, signal) =>
          ms === 5_000
            ? Promise.race([systemClock.sleep(600_000, signal), new Promise<void>((go) => looks.push(go))])
            : systemClock.sleep(ms, signal),
      },
      money: {
        async admit(grant) {
          if (!isLate) {
            const token = tokens.admit(grant);
            usable.push(token === sessionFolder(stage.places.directory, grant.session).readAccess()?.token);
            return { url: upstream.url, token };
          }
          isLate = false;
          asked.resolve();
          await goesOn.promise;
          const token = tokens.admit(grant);
          arrived.resolve();
          return { url: upstream.url, token };
        },
        async dismiss(id) {
          if (hasArrived && refusals++ < away) throw new Error("The gateway can't be asked.");
          tokens.dismiss(id);
        },
      },
    });
    const spec = stage.spec();
    const folder = sessionFolder(stage.places.directory, spec.id);
    await stage.sessions.start(spec);
    const following = new AbortController();
    onTestFinished(() => following.abort());
    isLate = true;
    stage.sessions.subscribe(() => undefined, following.signal);
    await asked.promise;
    await stage.sessions.stop(spec.id, "Now");
    if (since === "that has another host since") await stage.sessions.start(spec);
    hasArrived = true;
    goesOn.resolve();
    await arrived.promise;
    const last = folder.readHost()?.attempt;
    await expect
      .poll(() => {
        if (refusals > 0) for (const look of looks) look();
        return tokens.grants().map(({ attempt }) => attempt);
      })
      .toEqual(last === undefined ? [] : [last]);
    if (last !== undefined) expect(tokens.holder(folder.readAccess()?.token ?? "")).toBeDefined();
    // The first two are those of its starts.
    expect(usable.slice(2)).toEqual(last === undefined ? [] : [true]);
  },
);

test("an end that could not be proven is made good by a later look, which takes back what the session could spend", async () => {
  let jumpMs = 0;
  let passedMs = 0;
  const elapsed = (): number => {
    passedMs += jumpMs;
    return systemClock.elapsed() + passedMs;
  };
  const dismissed: string[] = [];
  const { upstream, stage } = await stageWith([bash("sleep 600")], {
    clock: { ...systemClock, elapsed },
    money: {
      admit: async () => ({ url: upstream.url, token: "token" }),
      dismiss: async (id) => void dismissed.push(id),
    },
  });
  const spec = stage.spec();
  await stage.sessions.start(spec);
  // No second look comes within the limit.
  jumpMs = 60_000;
  await expect(stage.sessions.stop(spec.id, "Now")).rejects.toMatchObject({ reason: "StillRunning" });
  jumpMs = 0;
  await stage.sessions.stop(spec.id, "Now");
  expect(await stage.sessions.find(spec.id)).toMatchObject({ is: "absent", ordered: true });
  expect(dismissed).toContain(spec.id);
});

test("a session that came to its end before a stop was not ended by it", async () => {
  const { stage } = await stageWith([write, commit, handIn]);
  const spec = stage.spec();
  await stage.sessions.start(spec);
  await stage.outcome(spec.id);
  // A host that is gone is absent before what it left is ended, and until then a stop is taken for its end.
  const folder = sessionFolder(stage.places.directory, spec.id);
  await expect.poll(() => folder.readHost()).toBeUndefined();
  writeFileSync(stage.stopLatch, "");
  const seen = await stage.sessions.find(spec.id);
  expect(seen.is).toBe("absent");
  expect(seen).not.toHaveProperty("ordered");
});

test("a start that is under way gives up at once when its session is to end, however long a host may take", async () => {
  // Time stands still: nothing is given up for having taken too long.
  const clock: Clock = { ...systemClock, elapsed: () => 0 };
  const { stage } = await stageWith([], { hostCommand: ["/bin/sh", "-c", "exec sleep 600"], clock });
  const spec = stage.spec();
  const started = stage.sessions.start(spec);
  started.catch(() => undefined); // Told below.
  await expect.poll(async () => (await markedProcesses(spec.id)).length).toBeGreaterThan(0);
  await stage.sessions.stop(spec.id, "Now");
  await expect(started).rejects.toMatchObject({ reason: "HostNotStarted" });
  expect(await markedProcesses(spec.id)).toEqual([]);
});

test("an end that was ordered is known as one by the time that it is over: nobody takes it for a crash", async () => {
  const upstream = await openUpstream(() => bash(`touch started; ${waitFor("../go")}`));
  const ends: SessionObservation[] = [];
  const stage = await openStage(upstream, {
    money: {
      admit: async () => ({ url: upstream.url, token: "token" }),
      dismiss: async (id) => void ends.push(await stage.sessions.find(id)),
    },
  });
  opened.push(upstream, stage);
  const spec = stage.spec();
  await stage.sessions.start(spec);
  await stage.until(spec.id, () => existsSync(join(stage.checkout, "started")));
  await stage.sessions.stop(spec.id, "Now");
  expect(ends).toMatchObject([{ is: "absent", ordered: true }]);
});

test("a session is ended at once also where the disk takes no word of it", async () => {
  const { stage } = await stageWith(() => bash(`touch started; ${waitFor("../go")}`));
  const spec = stage.spec();
  await stage.sessions.start(spec);
  await stage.until(spec.id, () => existsSync(join(stage.checkout, "started")));
  // A folder in the way of what the order would be written to.
  mkdirSync(temporaryPath(join(stage.places.directory, spec.id, "control")));
  await stage.sessions.stop(spec.id, "Now");
  expect(await markedProcesses(spec.id)).toEqual([]);
  expect(await stage.sessions.find(spec.id)).toMatchObject({ is: "absent" });
});

test("a start that comes while an end waits for its turn begins once that end is over, and lives", async () => {
  const { stage } = await stageWith(() => bash(waitFor("../go")));
  const spec = stage.spec();
  await stage.sessions.start(spec);
  const first = stage.sessions.start(spec);
  const ended = stage.sessions.stop(spec.id, "Now");
  const started = first.then(() => stage.sessions.start(spec));
  await ended;
  expect(await started).toMatchObject({ is: "present" });
  expect(await stage.sessions.find(spec.id)).toMatchObject({ is: "present" });
});

test.each(["Best", "Marker"] as const)(
  "an operator that was suspended while it ended a session leaves the host alone that another has started since, containment %s",
  async (containment) => {
    const suspended = Promise.withResolvers<void>();
    const goesOn = Promise.withResolvers<void>();
    let isToSleep = false;
    const clock: Clock = {
      ...systemClock,
      async sleep(ms, signal) {
        await systemClock.sleep(ms, signal);
        if (!isToSleep) return;
        isToSleep = false;
        suspended.resolve();
        await goesOn.promise;
      },
    };
    const { stage } = await stageWith(() => bash(waitFor("../go")), { clock, containment });
    const spec = stage.spec();
    await stage.sessions.start(spec);
    isToSleep = true;
    const stopped = stage.sessions.stop(spec.id, "Lost");
    await suspended.promise;
    await stage.until(spec.id, ({ is }) => is === "absent");
    const next = await stage.reopen();
    expect(await next.start(spec)).toMatchObject({ is: "present" });
    const folder = sessionFolder(stage.places.directory, spec.id);
    const host = folder.readHost();
    goesOn.resolve();
    await stopped;
    // One that is named no more ends itself.
    expect(folder.readHost()).toEqual(host);
    expect(await next.find(spec.id)).toMatchObject({ is: "present" });
  },
);

describe("a restarted operator", () => {
  test("finds a living host, leaves it alone and sees its outcome", async () => {
    const { stage } = await stageWith([write, commit, bash(waitFor("../go")), handIn]);
    const spec = stage.spec();
    await stage.sessions.start(spec);
    const before = await stage.until(spec.id, (now) => now.is === "present" && now.report.turns === 3);

    const adopted = await stage.reopen();
    const after = await adopted.find(spec.id);
    expect(after).toMatchObject({ is: "present", pid: before.is === "present" ? before.pid : 0 });
    await adopted.start(spec);
    writeFileSync(join(stage.checkout, "../go"), "");
    expect(await stage.outcome(spec.id)).toMatchObject({ kind: "Finished" });
    expect(stage.transcript(spec.id).filter(({ type }) => type === "message")).toHaveLength(1);
  });

  test("does not take a host for ended by an order that died with the operator who gave it", async () => {
    const { stage } = await stageWith([bash("sleep 600")]);
    const spec = stage.spec();
    const seen = await stage.sessions.start(spec);
    if (seen.is !== "present") throw new Error(`The session is ${seen.is}.`);
    sessionFolder(stage.places.directory, spec.id).writeOrder("Now");
    const adopted = await stage.reopen();
    process.kill(seen.pid, "SIGKILL");
    await expect.poll(async () => (await adopted.find(spec.id)).is).toBe("absent");
    expect(await adopted.find(spec.id)).not.toHaveProperty("ordered");
  });

  test.each(["Best", "Marker"] as const)(
    "finds the host whose operator was killed as soon as it had started, containment %s",
    async (containment) => {
      const { upstream, stage } = await stageWith([write, commit, bash(waitFor("../go")), handIn], {
        containment,
      });
      const spec = stage.spec();
      const order: OperatorOrder = { options: { ...stage.places, containment }, url: upstream.url, spec };
      const script = fileURLToPath(new URL("./testing/operator.ts", import.meta.url));
      const operator = spawn(process.execPath, [script, JSON.stringify(order)], { stdio: "ignore" });
      const [, signal] = await once(operator, "exit");
      expect(signal).toBe("SIGKILL");

      const adopted = await stage.reopen();
      expect(await adopted.find(spec.id)).toMatchObject({ is: "present", report: { run: 1 } });
      await adopted.start(spec);
      writeFileSync(join(stage.checkout, "../go"), "");
      expect(await stage.outcome(spec.id)).toMatchObject({ kind: "Finished" });
      expect(stage.transcript(spec.id).filter(({ type }) => type === "message")).toHaveLength(1);
    },
  );

  test.each(["Best", "Marker"] as const)(
    "is not needed for the stop latch to end a host and all it started, containment %s",
    async (containment) => {
      const { upstream, stage } = await stageWith([bash("touch started; (setsid sleep 600 &); sleep 600")]);
      const spec = stage.spec();
      const order: OperatorOrder = { options: { ...stage.places, containment }, url: upstream.url, spec };
      const script = fileURLToPath(new URL("./testing/operator.ts", import.meta.url));
      await once(spawn(process.execPath, [script, JSON.stringify(order)], { stdio: "ignore" }), "exit");
      await until(async () => existsSync(join(stage.checkout, "started")));
      writeFileSync(stage.stopLatch, "");
      await until(async () => (await markedProcesses(spec.id)).length === 0);
    },
  );

  test.each([
    { left: "in force", ordered: true },
    { left: "released", ordered: true },
    { left: "away", ordered: undefined },
  ])(
    "knows that a host was ended by an order while nobody looked as long as the stop latch is $left",
    async ({ left, ordered }) => {
      const { upstream, stage } = await stageWith([bash("sleep 600")]);
      const spec = stage.spec();
      const order: OperatorOrder = {
        options: { ...stage.places, containment: "Best" },
        url: upstream.url,
        spec,
      };
      const script = fileURLToPath(new URL("./testing/operator.ts", import.meta.url));
      await once(spawn(process.execPath, [script, JSON.stringify(order)], { stdio: "ignore" }), "exit");
      writeFileSync(stage.stopLatch, "");
      await until(async () => (await markedProcesses(spec.id)).length === 0);
      if (left === "released") renameSync(stage.stopLatch, releasedPath(stage.stopLatch));
      if (left === "away") rmSync(stage.stopLatch);

      const next = await stage.reopen();
      rmSync(stage.stopLatch, { force: true });
      rmSync(releasedPath(stage.stopLatch), { force: true });
      const seen = await next.find(spec.id);
      expect(seen).toMatchObject({ is: "absent", unwitnessed: true });
      expect(seen.is === "absent" && seen.ordered).toBe(ordered);

      await next.start(spec);
      await next.stop(spec.id, "Now");
      expect(await next.find(spec.id)).not.toHaveProperty("unwitnessed");
    },
  );

  test("is woken when a session reports and when its host ends", async () => {
    const { stage } = await stageWith([write, commit, handIn]);
    const watching = new AbortController();
    const woken: string[] = [];
    const ended = new Promise<void>((resolve) => {
      stage.sessions.subscribe(async (agent) => {
        woken.push(agent);
        const [session] = await Promise.all([stage.sessions.find(spec.id)]);
        if (session.is === "absent" && session.report?.outcome !== undefined) resolve();
      }, watching.signal);
    });
    const spec = stage.spec();
    await stage.sessions.start(spec);
    await ended;
    watching.abort();
    expect(new Set(woken)).toEqual(new Set(["agent-1"]));
  });
});

describe("a host that may not go on", () => {
  const endless = "echo begun >> more.txt; while [ ! -e ../go ]; do sleep 0.02; done";

  const hostWithout = (...periodsMs: readonly string[]) => [
    process.execPath,
    fileURLToPath(new URL("./testing/deaf-host.ts", import.meta.url)),
    ...periodsMs,
  ];
  /** It looks by itself at neither the stop latch nor its name. */
  const deafHost = hostWithout("100", "1000");
  /** Nothing but a look of its own has it see whether it is still named: it tells nothing in a tool call, not even that it lives. */
  const silentHost = hostWithout("1000");

  /** Starts a session whose command does not return, and waits for that. */
  async function begun(stage: Stage): Promise<{ spec: SessionSpec; folder: SessionFolder }> {
    const spec = stage.spec();
    await stage.sessions.start(spec);
    await stage.until(spec.id, () => existsSync(join(stage.checkout, "more.txt")));
    return { spec, folder: sessionFolder(stage.places.directory, spec.id) };
  }

  async function suspended(stage: Stage): Promise<{ folder: SessionFolder; host: RunningHost }> {
    const { folder } = await begun(stage);
    return { folder, host: takeThePlaceOf(folder) };
  }

  function takeThePlaceOf(folder: SessionFolder): RunningHost {
    const host = folder.readHost();
    if (host?.state !== "running") throw new Error("It does not run.");
    process.kill(host.host.pid, "SIGSTOP");
    folder.writeHost({ ...host, attempt: "another" });
    return host;
  }

  /** Without the record of the host and its way to the model: the stage's own manager may have seen it gone, and cleared those. */
  function writtenByHostIn(folder: string): Record<string, string> {
    const { "host.json": _, "access.json": _token, ...written } = everythingIn(folder);
    return written;
  }

  test("suspended while another took its place, it ends itself and all it started as soon as it wakes", async () => {
    const { stage } = await stageWith([bash(endless)], { hostCommand: silentHost });
    const { folder, host } = await suspended(stage);
    const before = writtenByHostIn(folder.path);
    process.kill(host.host.pid, "SIGCONT");
    await until(async () => !(await isAlive(host.outermost)));
    expect(writtenByHostIn(folder.path)).toEqual(before);
    expect(await markedProcesses(basename(folder.path))).toEqual([]);
  });

  test("whatever is about to happen is not begun by a host that another took the place of", async () => {
    const script = (_request: AskedRequest, index: number) =>
      [bash(endless), write, handIn][index] ?? { say: "?" };
    const { upstream, stage } = await stageWith(script, { hostCommand: deafHost });
    const { folder, host } = await suspended(stage);
    const before = writtenByHostIn(folder.path);
    writeFileSync(join(stage.checkout, "../go"), "");
    process.kill(host.host.pid, "SIGCONT");
    await until(async () => !(await isAlive(host.outermost)));
    expect(writtenByHostIn(folder.path)).toEqual(before);
    expect(upstream.requests).toHaveLength(1);
  });

  test("nothing is told of its end by a host that another took the place of", async () => {
    let taken: { host: RunningHost; before: Record<string, string> } | undefined;
    const script = (_request: AskedRequest, index: number): Turn => {
      if (index === 0) return bash(endless);
      const folder = sessionFolder(stage.places.directory, spec.id);
      taken = { host: takeThePlaceOf(folder), before: writtenByHostIn(folder.path) };
      return overBudget;
    };
    const { stage } = await stageWith(script, { hostCommand: deafHost });
    const spec = stage.spec();
    await stage.sessions.start(spec);
    writeFileSync(join(stage.checkout, "../go"), "");
    await until(async () => taken !== undefined);
    const { host, before } = taken as NonNullable<typeof taken>;
    process.kill(host.host.pid, "SIGCONT");
    await until(async () => !(await isAlive(host.outermost)));
    expect(writtenByHostIn(join(stage.places.directory, spec.id))).toEqual(before);
  });

  /** The folder of a session whose host, attempt `late`, has been started and has not made itself known. */
  async function starting() {
    const { stage } = await stageWith([]);
    const spec = stage.spec();
    const folder = sessionFolder(stage.places.directory, spec.id);
    const place = pidSpace();
    const { sessionFilesDirectory, stopLatch } = stage;
    const tools = { sandboxed: false, sandbox: undefined, hide: [], extraReadOnly: [] };
    folder.writeSpec(spec);
    folder.writeLaunch({ attempt: "late", place, sessionFilesDirectory, stopLatch, ...tools });
    folder.writeHost({ state: "starting", attempt: "late", place });
    return { folder, place, stopLatch };
  }

  test("started as the stop latch was engaged, it does nothing", async () => {
    const { folder, stopLatch } = await starting();
    writeFileSync(stopLatch, "");
    const before = everythingIn(folder.path);
    const main = fileURLToPath(new URL("./main.ts", import.meta.url));
    const late = spawn(process.execPath, [main, folder.path], {
      env: { ...process.env, BOSUN_ATTEMPT: "late" },
      stdio: "ignore",
    });
    expect(await once(late, "exit")).toEqual([0, null]);
    expect(everythingIn(folder.path)).toEqual(before);
  });

  test("replaced in the moment in which it makes itself known, it takes nobody's place", async () => {
    const { folder, place } = await starting();
    const another = { state: "starting", attempt: "another", place } as const;
    const run = runHost({
      folder: {
        ...folder,
        writeReport(...report) {
          folder.writeReport(...report);
          folder.writeHost(another);
        },
      },
      attempt: "late",
      outermostPid: process.pid,
      clock: systemClock,
      random: systemRandom,
      exit() {
        throw new Error("It ends.");
      },
    });
    await expect(run).rejects.toThrow("It ends.");
    expect(folder.readHost()).toEqual(another);
  });

  test("replaced while its setup ran, it does not say that the checkout is ready", async () => {
    const { folder, place } = await starting();
    const spec = folder.readSpec() as NonNullable<ReturnType<typeof folder.readSpec>>;
    const another = { state: "starting", attempt: "another", place } as const;
    const replace = `printf %s '${JSON.stringify(another)}' > ${join(folder.path, "host.json")}`;
    folder.writeSpec({ ...spec, setup: { run: replace, timeoutSeconds: 60, network: "none" } });
    const run = runHost({
      folder,
      attempt: "late",
      outermostPid: process.pid,
      // It does not come to look whether it may go on.
      clock: { ...systemClock, sleep: () => new Promise(() => {}) },
      random: systemRandom,
      exit() {
        throw new Error("It ends.");
      },
    });
    await expect(run).rejects.toThrow("It ends.");
    expect(folder.readHost()).toEqual(another);
    expect(folder.readSetup()).toBeUndefined();
  });

  test("that can't read any more whether it may go on, it ends with all it started", async () => {
    const { stage } = await stageWith([bash(endless)]);
    const { folder } = await begun(stage);
    const host = folder.readHost();
    if (host?.state !== "running") throw new Error("It does not run.");
    writeFileSync(join(folder.path, "host.json"), "{");
    try {
      await until(async () => !(await isAlive(host.host)));
    } finally {
      folder.writeHost(host);
    }
  });

  test("started late, when another has begun already, it does nothing", async () => {
    const { stage } = await stageWith([bash(endless)]);
    const { spec, folder } = await begun(stage);
    const before = folder.readHost();
    const late = spawn(
      process.execPath,
      [fileURLToPath(new URL("./main.ts", import.meta.url)), folder.path],
      {
        env: { ...process.env, BOSUN_ATTEMPT: "an-earlier-one" },
        stdio: "ignore",
      },
    );
    expect(await once(late, "exit")).toEqual([0, null]);
    expect(folder.readHost()).toEqual(before);
    expect(stage.transcript(spec.id).filter(({ type }) => type === "message")).toHaveLength(1);
  });
});

describe("a host in another container", () => {
  /** Makes the host of a session one that can't be looked for from here. */
  function moveElsewhere(stage: Stage, id: string): ProcessIdentity {
    const folder = sessionFolder(stage.places.directory, id);
    const host = folder.readHost();
    if (host?.state !== "running") throw new Error("It does not run.");
    folder.writeHost({ ...host, place: "- another-kernel 1" });
    return host.outermost;
  }

  test("is there as long as it has not said how its run ended, and its outcome is taken", async () => {
    const { stage } = await stageWith([write, commit, bash(waitFor("../go")), handIn]);
    const spec = stage.spec();
    await stage.sessions.start(spec);
    await stage.until(spec.id, (now) => now.is === "present" && now.report.turns === 3);
    const outermost = moveElsewhere(stage, spec.id);
    const adopted = await stage.reopen();
    expect(await adopted.find(spec.id)).toMatchObject({ is: "present" });
    expect(await adopted.running()).toMatchObject([{ id: spec.id }]);
    await adopted.start(spec);
    writeFileSync(join(stage.checkout, "../go"), "");
    expect(await stage.outcome(spec.id)).toMatchObject({ kind: "Finished" });
    expect(stage.transcript(spec.id).filter(({ type }) => type === "message")).toHaveLength(1);
    await until(async () => !(await isAlive(outermost)));
  });

  test("that is ended loses its right to go on, its token and its transcript", async () => {
    const dismissed: string[] = [];
    const tokens: (string | undefined)[] = [];
    const { upstream, stage } = await stageWith([bash("touch more.txt; sleep 600")], {
      money: {
        admit: async ({ session, attempt }) => {
          tokens.push(attempt);
          return { url: upstream.url, token: session };
        },
        dismiss: async (session) => void dismissed.push(session),
      },
    });
    const spec = stage.spec();
    await stage.sessions.start(spec);
    await stage.until(spec.id, () => existsSync(join(stage.checkout, "more.txt")));
    const folder = sessionFolder(stage.places.directory, spec.id);
    const open = openSync(folder.transcriptPath, "a");
    moveElsewhere(stage, spec.id);
    await stage.sessions.stop(spec.id, "Now");

    expect(folder.readHost()).toBeUndefined();
    expect(dismissed).toEqual([spec.id]);
    expect(tokens).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    const before = readFileSync(folder.transcriptPath, "utf8");
    writeSync(open, '{"type":"lost"}\n');
    closeSync(open);
    expect(readFileSync(folder.transcriptPath, "utf8")).toBe(before);
  });

  test("that has said how its run ended loses its transcript to the host of the next run all the same", async () => {
    const { stage } = await stageWith([bash(waitFor("../go")), write, commit, handIn]);
    const spec = stage.spec();
    await stage.sessions.start(spec);
    const folder = sessionFolder(stage.places.directory, spec.id);
    const host = folder.readHost();
    writeFileSync(join(stage.checkout, "../go"), "");
    await stage.outcome(spec.id);
    await until(async () => folder.readHost() === undefined);
    if (host !== undefined) folder.writeHost({ ...host, place: "- another-kernel 1" });
    const { ino } = statSync(folder.transcriptPath);
    await stage.sessions.start({ ...spec, run: 2, message: "Again." });
    expect(statSync(folder.transcriptPath).ino).not.toBe(ino);
  });

  test("of this machine before it was started anew is gone", async () => {
    const { stage } = await stageWith([bash("touch more.txt; sleep 600")]);
    const spec = stage.spec();
    await stage.sessions.start(spec);
    await stage.until(spec.id, () => existsSync(join(stage.checkout, "more.txt")));
    const folder = sessionFolder(stage.places.directory, spec.id);
    const host = folder.readHost();
    const [machine = ""] = pidSpace().split(" ");
    if (host !== undefined) folder.writeHost({ ...host, place: `${machine} boot-before 1` });
    const seen = await stage.sessions.find(spec.id);
    expect(seen.is).toBe(machine === "-" ? "present" : "absent");
    await stage.sessions.stop(spec.id, "Now");
  });
});

/** Every file of a session by its content, but what the host printed. */
function everythingIn(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => /\.jsonl?$/.test(name));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

async function until(look: () => Promise<boolean>): Promise<void> {
  await expect.poll(look, { interval: 20 }).toBe(true);
}

interface Result {
  type: string;
  content: string;
  is_error: boolean;
}

function resultsIn(request: AskedRequest | undefined): readonly Result[] {
  const blocks = request?.messages.flatMap(({ content }) => content) ?? [];
  return blocks.filter((block) => block.type === "tool_result") as unknown as Result[];
}

function lastResult(upstream: Upstream): Result | undefined {
  return resultsIn(upstream.requests.at(-1)).at(-1);
}
