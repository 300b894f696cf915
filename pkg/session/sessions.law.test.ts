/** What a manager says of a session, and what it lets it do, over lives of hosts and of operators, against a model. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Tokens } from "../gateway/tokens.ts";
import type { Clock } from "../runtime/clock.ts";
import { releasedPath } from "../system/latch-files.ts";
import { startTimeOf } from "../system/process-identity.ts";
import { systemClock, systemIds } from "../system/system.ts";
import { signalIfAlive } from "../system/testing/signal-if-alive.ts";
import { openSessions } from "./manager.ts";
import { markedProcesses } from "./process-tree.ts";
import { sessionFolder } from "./session-folder.ts";
import type { Outcome, SessionReport, SessionSpec } from "./sessions.ts";

type Step =
  /** The same run, or the next one where the last has an outcome. */
  | { do: "start"; run: "same" | "next" }
  | { do: "stop"; how: "Now" | "Lost" | "AfterTurn" }
  /** The host says how its run ended, and leaves, or doesn't. */
  | { do: "end"; outcome: "Finished" | "Paused"; leaves: boolean }
  /** It ends without a word, perhaps while no operator lives. */
  | { do: "die"; seen: boolean }
  | { do: "restart" }
  /** From now on it is one that can't be looked for from here. */
  | { do: "move" }
  | { do: "engage" | "release" | "settle" }
  /** The gateway can't be asked any more, or can be asked again. */
  | { do: "leave alone" | "answer" };

const outcomes: Record<"Finished" | "Paused", Outcome> = {
  Finished: { kind: "Finished", summary: "Done.", evidence: [] },
  Paused: { kind: "Paused", reason: "Requested", message: "Asked." },
};

/** What has to be so. */
interface Model {
  host: "none" | "works" | "stays";
  isElsewhere: boolean;
  /** An operator that is no more has started the host. */
  isAdopted: boolean;
  run: number;
  outcome: "Finished" | "Paused" | undefined;
  /** Any: an operator that is no more lives on as a part of this process and sees the host that it started end in a stop. */
  ordered: boolean | "any";
  unwitnessed: boolean;
  latch: "away" | "engaged" | "released";
  hasGateway: boolean;
}

/** How often a manager looks for what it waits for, in milliseconds. */
const lookPeriodMs = 10;

async function open() {
  const root = mkdtempSync(join(tmpdir(), "bosun-law-"));
  const directory = join(root, "sessions");
  const stopLatch = join(root, "stop");
  const id = systemIds.uuid();
  const folder = sessionFolder(directory, id);
  const tokens = new Tokens("secret");
  let hasGateway = true;
  const askGateway = (): void => {
    if (!hasGateway) throw new Error("The gateway can't be asked.");
  };
  let jumpMs = 0;
  let waits = Promise.withResolvers<void>();
  /** Of one operator. Once that is dead it does no more than it was just about to do. */
  const clockOf = (operator: { isDead: boolean }): Clock => ({
    ...systemClock,
    elapsed: () => systemClock.elapsed() + jumpMs,
    // What is looked at now and then is looked at soon.
    sleep(ms, signal) {
      if (operator.isDead) return new Promise(() => {});
      if (ms === lookPeriodMs) waits.resolve();
      return systemClock.sleep(Math.min(ms, 20), signal);
    },
  });
  let operator = { isDead: false };
  const openOperator = () =>
    openSessions({
      ...{ directory, sessionFilesDirectory: root, stopLatch, clock: clockOf(operator), ids: systemIds },
      places: { hide: [], readOnly: [] },
      money: {
        async admit(grant) {
          askGateway();
          return { url: "http://127.0.0.1:1", token: tokens.admit(grant) };
        },
        async dismiss(session) {
          askGateway();
          tokens.dismiss(session);
        },
      },
      containment: "Marker",
      // What it does is done for it.
      hostCommand: ["/bin/sh", "-c", "exec sleep 600"],
    });
  let sessions = await openOperator();
  let watching = new AbortController();
  let woken = 0;
  const watch = (): void => sessions.subscribe(() => (woken += 1), watching.signal);
  watch();

  const spec = (run: number) =>
    ({
      ...{ id, run, agent: "agent-1", pool: "builders", project: "one", purpose: "execute", labels: {} },
      ...{ claim: { kind: "Project", name: "one", uid: "u", number: 1 }, maxOutputTokens: 1, sandbox: "Off" },
      tasks: [],
    }) as unknown as SessionSpec;

  const report = (run: number, outcome?: "Finished" | "Paused"): void => {
    const times = { liveSeconds: 0, lastActivityMs: 0, heartbeatMs: systemClock.now() };
    const written: SessionReport = { run, turns: 1, ...times, tasksDone: [], busy: false };
    folder.writeReport(outcome === undefined ? written : { ...written, outcome: outcomes[outcome] }, {
      durable: false,
    });
  };

  /** Does what a host does first, as soon as its process is there. */
  const makeKnown = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await systemClock.sleep(5);
      const host = folder.readHost();
      const [pid] = host?.state === "starting" ? await markedProcesses(id) : [];
      const startTime = pid === undefined ? undefined : await startTimeOf(pid);
      if (host === undefined || pid === undefined || startTime === undefined) continue;
      report(folder.readSpec()?.run ?? 0);
      const me = { pid, startTime };
      writeFileSync(folder.transcriptPath, "");
      folder.writeHost({
        ...host,
        state: "running",
        outermost: me,
        host: me,
        startedAtMs: 0,
        contained: false,
      });
      return;
    }
  };

  const kill = async (): Promise<void> => {
    const pids = await markedProcesses(id);
    for (const pid of pids) signalIfAlive(pid, "SIGKILL");
    for (const pid of pids) while ((await startTimeOf(pid)) !== undefined) await systemClock.sleep(1);
  };

  return {
    ...{ id, folder, tokens, stopLatch, report, kill, spec },
    sessions: () => sessions,
    setGateway(isThere: boolean): void {
      hasGateway = isThere;
    },
    woken: () => woken,
    async start(run: number, isToWait: boolean): Promise<void> {
      waits = Promise.withResolvers();
      const over = new AbortController();
      const known = makeKnown(over.signal);
      const started = sessions.start(spec(run));
      started.catch(() => undefined); // Told below.
      if (isToWait) {
        await Promise.race([waits.promise, started]);
        jumpMs += 3_000;
      }
      await started.finally(() => over.abort());
      await known;
    },
    leave(): void {
      watching.abort();
      operator.isDead = true;
    },
    async reopen(): Promise<void> {
      operator = { isDead: false };
      sessions = await openOperator();
      watching = new AbortController();
      watch();
    },
    async close(): Promise<void> {
      watching.abort();
      await kill();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
type World = Awaited<ReturnType<typeof open>>;

/** Whether a stop may have ended what ends now. */
const isUnsettled = ({ latch }: Model): boolean => latch !== "away";

/** What may come next, the likelier the more often. */
function nextOf({ host, isElsewhere, outcome, latch, hasGateway }: Model): Step[] {
  // One that can't be admitted is told in `sessions.test.ts`.
  const starts: Step[] = hasGateway ? [{ do: "start", run: "same" }] : [{ do: "answer" }];
  if (outcome !== undefined && hasGateway) starts.push({ do: "start", run: "next" });
  const latches: Record<Model["latch"], Step[]> = {
    away: [{ do: "engage" }],
    engaged: [{ do: "release" }],
    released: [{ do: "settle" }, { do: "engage" }],
  };
  const always: Step[] = [...starts, ...latches[latch], { do: "restart" }, { do: "stop", how: "AfterTurn" }];
  if (hasGateway) always.push({ do: "leave alone" });
  else always.push({ do: "restart" }, { do: "answer" });
  if (host === "none") return [...always, ...(latch === "engaged" ? latches.engaged : starts), ...starts];
  const stops: Step[] = [
    { do: "stop", how: "Now" },
    { do: "stop", how: "Lost" },
  ];
  const ends = (["Finished", "Paused"] as const).flatMap((how): Step[] => [
    { do: "end", outcome: how, leaves: true },
    { do: "end", outcome: how, leaves: isElsewhere },
  ]);
  const dies: Step[] = [
    { do: "die", seen: true },
    { do: "die", seen: false },
  ];
  if (isElsewhere) return [...always, ...stops, ...ends];
  if (host === "stays") return [...always, ...stops, ...dies, ...starts, ...starts, ...starts];
  return [...always, ...stops, ...dies, ...ends, { do: "move" }];
}

/** Does one step in the world and in the model. @returns whether who subscribed has to be told */
async function take(one: Step, model: Model, world: World): Promise<boolean> {
  switch (one.do) {
    case "start": {
      const run = model.run + (one.run === "next" ? 1 : 0);
      if (model.latch === "engaged") {
        await expect(world.start(run, false)).rejects.toMatchObject({ reason: "Stopped" });
        return false;
      }
      const goesOn = model.host === "works" && run === model.run;
      const isOver = model.outcome === "Finished" && run === model.run;
      await world.start(run, model.host === "stays");
      if (goesOn) return false;
      const ends = model.host === "stays" && isOver;
      model.ordered = ends && model.isAdopted && isUnsettled(model) && "any";
      Object.assign(model, { isElsewhere: false, isAdopted: false, host: isOver ? "none" : "works" });
      if (!isOver) Object.assign(model, { run, outcome: undefined, unwitnessed: false });
      return false;
    }
    case "stop":
      await world.sessions().stop(world.id, one.how);
      // That ends a host only once it has come to the end of its turn, and is no news of one that is gone.
      if (one.how === "AfterTurn") return false;
      Object.assign(model, { host: "none", isElsewhere: false });
      model.ordered = one.how === "Now" || (isUnsettled(model) && "any");
      return true;
    case "end":
      world.report(model.run, one.outcome);
      if (one.leaves) await world.kill();
      if (one.leaves) Object.assign(model, { host: "none", isElsewhere: false, ordered: isUnsettled(model) });
      else model.host = "stays";
      model.outcome = one.outcome;
      return true;
    case "die":
      if (!one.seen) world.leave();
      await world.kill();
      if (!one.seen) await world.reopen();
      Object.assign(model, { host: "none", ordered: isUnsettled(model), unwitnessed: !one.seen });
      return one.seen;
    case "restart":
      world.leave();
      await world.reopen();
      model.isAdopted = model.host !== "none";
      if (model.host === "none") model.unwitnessed = false;
      return false;
    case "move": {
      const host = world.folder.readHost();
      if (host !== undefined) world.folder.writeHost({ ...host, place: "- another-kernel 1" });
      model.isElsewhere = true;
      return false;
    }
    case "engage": {
      writeFileSync(world.stopLatch, "");
      model.latch = "engaged";
      if (model.host === "none" || model.isElsewhere) return false;
      // As each host does by itself.
      await world.kill();
      Object.assign(model, { host: "none", ordered: true });
      return true;
    }
    case "release":
      renameSync(world.stopLatch, releasedPath(world.stopLatch));
      model.latch = "released";
      return false;
    case "settle":
      rmSync(releasedPath(world.stopLatch));
      model.latch = "away";
      return false;
    case "leave alone":
    case "answer":
      model.hasGateway = one.do === "answer";
      world.setGateway(model.hasGateway);
      return false;
  }
}

/** All that can be seen of the session, as soon as it is what it has to be. */
async function check(model: Model, world: World): Promise<void> {
  const { id, folder, tokens } = world;
  const lives = model.host !== "none";
  const want = {
    is: lives ? "present" : "absent",
    run: model.run,
    outcome: model.outcome,
    ordered: model.ordered === "any" && !lives ? expect.any(Boolean) : !lives && model.ordered,
    unwitnessed: !lives && model.unwitnessed,
    running: lives ? [id] : [],
    spends: !model.hasGateway ? expect.any(Array) : lives ? [folder.readHost()?.attempt] : [],
    processes: lives ? 1 : 0,
  };
  const seen = async () => {
    const found = await world.sessions().find(id);
    const report = found.is === "unknown" ? undefined : found.report;
    const absent = found.is === "absent" ? found : undefined;
    return {
      is: found.is,
      run: report?.run,
      outcome: report?.outcome?.kind,
      ordered: absent?.ordered === true,
      unwitnessed: absent?.unwitnessed === true,
      running: (await world.sessions().running()).map((one) => one.id),
      spends: tokens.grants().map(({ attempt }) => attempt),
      processes: (await markedProcesses(id)).length,
    };
  };
  await expect.poll(seen, { interval: 5 }).toEqual(want);
  await expect.poll(() => folder.readHost() === undefined, { interval: 5 }).toBe(!lives);
}

test("whatever befalls hosts and operators, a session is said to be what it is, and only its living host may spend", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(), { minLength: 10, maxLength: 10 }), async (choices) => {
      const world = await open();
      const model: Model = {
        ...{ host: "none", isElsewhere: false, isAdopted: false, run: 1, outcome: undefined },
        ...{ ordered: false, unwitnessed: false, latch: "away", hasGateway: true },
      };
      const taken: Step[] = [{ do: "start", run: "same" }];
      try {
        await take({ do: "start", run: "same" }, model, world);
        for (const choice of choices) {
          const possible = nextOf(model);
          const one = possible[choice % possible.length] as Step;
          taken.push(one);
          const before = world.woken();
          const isNews = await take(one, model, world);
          await check(model, world);
          if (isNews) await expect.poll(() => world.woken(), { interval: 5 }).toBeGreaterThan(before);
        }
      } catch (error) {
        throw new Error(`After ${JSON.stringify(taken)}`, { cause: error });
      } finally {
        await world.close();
      }
    }),
    { numRuns: 15, endOnFailure: true },
  );
}, 600_000);
