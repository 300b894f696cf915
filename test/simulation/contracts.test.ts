/** The twins keep the contracts of the real parts, so that what holds in simulation holds outside of it. */
import type { CheckResult } from "../../pkg/quality/quality.ts";
import type { SessionSpec } from "../../pkg/session/sessions.ts";
import { moneyContract } from "../contracts/money.contract.ts";
import { qualityContract } from "../contracts/quality.contract.ts";
import { repositoryContract } from "../contracts/repository.contract.ts";
import { sessionsContract } from "../contracts/sessions.contract.ts";
import { Scheduler } from "./kernel/scheduler.ts";
import { Commits } from "./world/commits.ts";
import { kindTemper } from "./world/conduct.ts";
import { SimDisk } from "./world/disk.ts";
import { SimLatch } from "./world/latch.ts";
import { SimMoney } from "./world/money.ts";
import { SimQuality } from "./world/quality.ts";
import { SimRepository } from "./world/repository.ts";
import { SimSessions } from "./world/sessions.ts";
import { SimUpstream } from "./world/upstream.ts";

function moneyIn(scheduler: Scheduler): SimMoney {
  const startMs = scheduler.world.clock.now();
  return new SimMoney({
    incarnation: (name) => scheduler.incarnation(name),
    world: scheduler.world,
    prng: (stream) => scheduler.prng(stream),
    upstream: new SimUpstream(scheduler.prng("upstream"), () => startMs + scheduler.elapsedMs),
    disk: new SimDisk(),
  });
}

moneyContract("SimMoney", async () => ({ money: moneyIn(new Scheduler({ seed: 1 })) }));

repositoryContract("SimRepository", async () => {
  const repository = new SimRepository({ "notes.txt": "begin\n" });
  repository.rebases = 0;
  const checkoutAt = (path: string) => {
    const checkout = repository.checkoutAt(path);
    if (checkout === undefined) throw new Error(`There is no checkout ${path}`);
    return checkout;
  };
  return {
    repository,
    userCommits: async (files) => repository.userCommits(files),
    agentCommits: async (path, files) => repository.commitIn(checkoutAt(path), files).id,
    agentWrites: async (path, files) => {
      for (const [name, content] of Object.entries(files)) checkoutAt(path).dirty.set(name, content);
    },
    damage: async (path) => repository.damage(checkoutAt(path).claim),
    branch: async (name) => repository.branch(name),
    read: async (commit, path) => repository.objects.get(commit).tree.get(path),
  };
});

qualityContract("SimQuality", async () => {
  const scheduler = new Scheduler({ seed: 1 });
  const objects = new Commits();
  const results: Record<string, CheckResult["result"]> = {
    passes: "Passed",
    fails: "Failed",
    isMissing: "Missing",
    runsNoTest: "NoTests",
    neverEnds: "TimedOut",
  };
  const quality = new SimQuality({ objects, clock: scheduler.world.clock, verdict: (run) => results[run] });
  // Virtual time passes whenever the test waits.
  const checks: SimQuality["checks"] = async (...args) => {
    const seen = await quality.checks(...args);
    if (seen.is === "running")
      setImmediate(() => void scheduler.run({ untilMs: scheduler.elapsedMs + 600_000 }));
    return seen;
  };
  const command = (run: string) => ({ run, timeoutSeconds: 9 });
  return {
    quality: {
      checks,
      inspect: (...args) => quality.inspect(...args),
      subscribe: (...args) => quality.subscribe(...args),
    },
    base: objects.add({ parents: [], tree: new Map([["notes.txt", "begin\n"]]), subject: "Begin" }).id,
    async commit(parent, files) {
      const tree = new Map(objects.get(parent).tree);
      for (const [path, content] of Object.entries(files))
        if (content === undefined) tree.delete(path);
        else tree.set(path, content);
      return objects.add({ parents: [parent], tree, subject: "Commit" }).id;
    },
    commands: {
      passes: command("passes"),
      fails: command("fails"),
      isMissing: command("isMissing"),
      runsNoTest: command("runsNoTest"),
      neverEnds: command("neverEnds"),
    },
  };
});

sessionsContract("SimSessions", async () => {
  const scheduler = new Scheduler({ seed: 1 });
  const money = moneyIn(scheduler);
  await money.setBudgets([{ name: "all", uid: "u", daily: { usd: 1000 }, timeZone: "UTC", selector: {} }]);
  const repository = new SimRepository({ "src/file-1.ts": "begin" });
  const claim = { project: "retry", number: 1, agent: "agent-1" };
  const branch = "agent-1/project-1";
  const identity = { name: "agent-1", email: "agent-1@bosun.invalid" };
  const checkout = await repository.ensureCheckout(claim, { branch, identity, purpose: "execute" });
  const prng = (stream: string) => scheduler.prng(stream);
  const pace = { turns: 100_000 };
  const temper = { ...kindTemper, script: () => ({ ends: "Done" as const, turns: pace.turns }) };
  const sessions = new SimSessions({
    life: scheduler.world,
    repository,
    money,
    latch: new SimLatch(),
    prng,
    temper,
  });
  let number = 0;
  return {
    sessions,
    spec(): SessionSpec {
      number += 1;
      return {
        id: `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`,
        run: 1,
        agent: "agent-1",
        purpose: "execute",
        claim: { kind: "Project", name: "retry", uid: "u", number: 1 },
        project: "retry",
        pool: "builders",
        labels: {},
        checkout: checkout.path,
        branch,
        model: "claude-sonnet-5-5",
        maxOutputTokens: 16_000,
        maxTurns: 200,
        system: "",
        message: "",
        tasks: [],
        criteria: [],
        toolTimeoutSeconds: 600,
        sandbox: "Off",
      };
    },
    finish() {
      sessions.finishSoon();
      pace.turns = 1;
    },
    async until(id, wanted) {
      for (let minutes = 0; minutes < 600; minutes += 1) {
        const seen = await sessions.find(id);
        if (wanted(seen)) return seen;
        await scheduler.run({ untilMs: scheduler.elapsedMs + 60_000 });
      }
      throw new Error(`Session ${id} never came to what was wanted`);
    },
  };
});
