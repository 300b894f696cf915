/**
 * How long an emergency stop takes with ten sessions at work on trees of processes that do not want to end: until a
 * look at all processes, without the product's help, finds none of them. The aim: p99 under a second. Ways take turns:
 * the command, a touched latch, the mode by the API.
 *
 *     npm run bench:stop
 *     npm run bench:stop -- --rounds 100
 *     npm run bench:stop -- --busy        two processes of each tree never rest
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { type Crew, crew } from "../e2e/stop/crew.ts";
import { bosunCommand, startBuiltPackage } from "../support/bosun-command.ts";
import { whenInterrupted } from "../support/interrupted.ts";
import { quantile } from "../support/quantile.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "12" }, busy: { type: "boolean", default: false } },
});
const rounds = Number(values.rounds);
const aimMs = 1_000;

/** Each gives what the command said of its own time, where there is one. */
const ways: Readonly<Record<string, (here: Crew) => Promise<number | undefined>>> = {
  async "the command"({ repository }) {
    const child = spawn(process.execPath, [bosunCommand(), "stop", "--emergency"], {
      cwd: repository,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
    if (code !== 0) throw new Error(`The command ended with ${code}: ${said}`);
    return Number(/^Stopped in (\d+) ms/.exec(said)?.[1]);
  },
  async "a touched latch"({ workspace }) {
    writeFileSync(workspace.stopLatch, "");
    return undefined;
  },
  async "the mode"({ client }) {
    await client.patch("Workspace", { namespace: "default", name: "scratch" }, { spec: { mode: "Stopped" } });
    return undefined;
  },
};

startBuiltPackage();
let remove = async (): Promise<void> => {};
const here = crew({ holding: 10, busy: values.busy, dailyUSD: 100_000 }, (end) => {
  remove = end;
});
whenInterrupted(() => remove());
const tookMs = new Map<string, number[]>();
try {
  let operator = here.rehearse();
  let before: string | undefined;
  await here.atWork();
  for (let round = 0; round < rounds; round += 1) {
    const names = Object.keys(ways);
    const name = names[round % names.length] ?? "";
    const startMs = performance.now();
    const own = await ways[name]?.(here);
    const ms = await here.none(startMs);
    remember(name, ms);
    console.log(`round ${round + 1} of ${rounds}: ${name} ${ms.toFixed(0)} ms`);
    if (own !== undefined) remember("the command, as it says itself", own);
    await here.until("a stop that is declared", async () => {
      if (!lives(operator.pid)) return true;
      const stop = (await here.object("Workspace", "scratch")).status?.stop;
      if (stop?.declared !== true || stop.name === before) return false;
      before = stop.name;
      return true;
    });
    await here.tell("resume");
    // A command that got no answer in time, on a machine that is starved, has ended it.
    if (!lives(operator.pid)) operator = here.rehearse();
    await here.atWork();
  }
} finally {
  await remove();
}
let worstMs = 0;
for (const [name, all] of tookMs) {
  worstMs = Math.max(worstMs, quantile(all, 0.99));
  const numbers = [0.5, 0.99, 1].map((share) => `${quantile(all, share).toFixed(0).padStart(5)} ms`);
  console.log(
    `${name.padEnd(32)} ${all.length} rounds  p50 ${numbers[0]}  p99 ${numbers[1]}  max ${numbers[2]}`,
  );
}
console.log(worstMs < aimMs ? "Under the aim of a second." : "Over the aim of a second.");

function remember(name: string, ms: number): void {
  const all = tookMs.get(name) ?? [];
  all.push(ms);
  tookMs.set(name, all);
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // It has ended.
    return false;
  }
}
