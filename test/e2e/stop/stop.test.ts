/** Stop means stop: sessions with trees of processes that do not want to end, and requests in flight. */
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { findKubectl } from "../../kubectl/find.ts";
import { scratch } from "../operator/scratch.ts";
import { block, inspectable } from "./block.ts";
import { type Crew, crew, hardLimitMs, runningFor, stubbornScript } from "./crew.ts";

const onLinux = test.skipIf(process.platform !== "linux");

/** For the record of a run; no time is promised here but the hard limit. */
function within(limitMs: number, what: string, ms: number): void {
  console.log(`${what}: none left after ${Math.round(ms)} ms`);
  expect(ms).toBeLessThan(limitMs);
}

/** The command as a person gives it: once it has ended, nothing runs. */
async function command(here: Crew, what: string): Promise<string> {
  const startMs = performance.now();
  // What was unfinished is kept after it, and takes its time.
  const [said, ms] = await Promise.all([here.tell("stop", "--emergency"), here.none(startMs)]);
  within(hardLimitMs, what, ms);
  expect(here.running()).toEqual([]);
  expect(said).toMatch(/^Stopped in \d+ ms: no session, tool, check or request is left/);
  return said;
}

onLinux("the command ends ten sessions of an operator that is suspended, and the operator", async () => {
  const here = crew({ holding: 7, asking: 3 });
  const operator = here.rehearse();
  await here.atWork();
  operator.signal("SIGSTOP");
  const said = await command(here, "The command, operator suspended");
  expect(said).toContain(`The operator (process ${operator.pid}) gave no answer and was ended too`);
  expect(await operator.exited).toBe("SIGKILL");
  expect(said).toContain("Unfinished work of 10 sessions is kept");
  const kept = here.git("for-each-ref", "--format=%(refname)", "refs/bosun/wip/").split("\n");
  expect(kept).toHaveLength(10);
  const notes = kept.filter((ref) => here.git("ls-tree", "--name-only", ref).includes("notes.md"));
  expect(notes).toHaveLength(7);
});

onLinux("a touched latch ends ten sessions while the event loop of the operator is blocked", async () => {
  const here = crew({ holding: 5, leaving: 5, workspace: { sandbox: "Off" }, env: inspectable });
  const operator = here.rehearse();
  await here.atWork();
  await block(operator);
  const startMs = performance.now();
  writeFileSync(here.workspace.stopLatch, "");
  within(hardLimitMs, "A touched latch, event loop blocked", await here.none(startMs));
  expect(await command(here, "The command, event loop blocked")).toContain("was ended too");
  expect(existsSync(here.workspace.stopLatch)).toBe(true);
  expect(await operator.exited).toBe("SIGKILL");
});

onLinux(
  "mode Stopped by kubectl and by the YAML end all, and only a mode that is changed after a stop ends it",
  async () => {
    const here = crew({ holding: 1, asking: 1 });
    const operator = here.rehearse();
    await here.atWork();
    const isSaidInFile = (mode: string) =>
      here.until("a file that says so", () => here.read("workspace.yaml").includes(`mode: ${mode}`));
    // The operator has seen it together with its stop once it says so in the status.
    const isKnown = () =>
      here.until(
        "a stop that is known",
        async () => (await workspaceOf(here)).status?.stop?.declared === true,
      );
    const stopped = async (startMs: number, what: string): Promise<void> => {
      within(hardLimitMs, what, await here.none(startMs));
      await here.until("a mode that says so", async () => (await modeOf(here)) === "Stopped");
      await isSaidInFile("Stopped");
      expect(existsSync(here.workspace.stopLatch)).toBe(true);
    };

    let startMs = performance.now();
    await setMode(here, "Stopped");
    await stopped(startMs, "kubectl patch");
    await here.until("kept work", () => here.git("for-each-ref", "refs/bosun/wip/").split("\n").length === 2);
    expect((await here.bosun("why")).text).toContain("bosun resume");
    await isKnown();
    await setMode(here, "Running");
    await here.atWork();
    expect(existsSync(here.workspace.stopLatch)).toBe(false);

    await isSaidInFile("Running");
    startMs = performance.now();
    edit(here, "mode: Running", "mode: Stopped");
    await stopped(startMs, "An edited file");
    await here.tell("resume");
    await here.atWork();

    // Whoever ran the operator is gone; what the file says of the mode is older than the stop.
    await isSaidInFile("Running");
    operator.signal("SIGKILL");
    await operator.exited;
    startMs = performance.now();
    writeFileSync(here.workspace.stopLatch, "");
    within(hardLimitMs, "A touched latch, operator dead", await here.none(startMs));
    for (const _ of ["the next operator", "and the one after it"]) {
      const next = here.rehearse();
      await next.ready();
      expect(next.output()).toContain("The emergency stop is in force: nothing starts until `bosun resume`");
      await isKnown();
      expect(await modeOf(here)).toBe("Stopped");
      expect(here.running()).toEqual([]);
      next.signal("SIGKILL");
      await next.exited;
    }

    expect(await here.tell("resume")).toContain("`bosun up` goes on");
    const last = here.rehearse();
    await here.atWork();
    expect(await modeOf(here)).toBe("Running");
    expect(here.condition(await workspaceOf(here), "Stopped")?.status).toBe("False");
    const said = await command(here, "The command, operator at work");
    // On a machine that is starved it may have been too slow to answer.
    if (said.includes("was ended too")) return;
    await here.until("a mode that says so", async () => (await modeOf(here)) === "Stopped");
    await last.end();
  },
);

for (const sandbox of ["Required", "Off"] as const)
  onLinux(`checks that do not want to end do, sandbox ${sandbox}, whatever the operator is at`, async () => {
    const here = scratch({
      files: { "stubborn.sh": stubbornScript },
      workspace: { sandbox, commands: { test: { run: "bash stubborn.sh" } } },
      env: inspectable,
    });
    const running = () => runningFor(here.folder);
    const atWork = () =>
      here.until("checks at work", () => running().filter((line) => line.includes("stubborn:")).length >= 4);
    const operator = here.rehearse();
    await atWork();
    await block(operator);
    writeFileSync(here.workspace.stopLatch, "");
    await here.until("no check", () => running().length === 0);
    expect(await here.tell("stop", "--emergency")).toContain("was ended too");
    await operator.exited;

    await here.tell("resume");
    const next = here.rehearse();
    await atWork();
    const said = await here.tell("stop", "--emergency");
    expect(running()).toEqual([]);
    if (said.includes("was ended too")) return;
    // An operator that has heard of it has not taken the killed check for a failed one.
    await here.tell("resume");
    await atWork();
    expect((await workspaceOf(here)).status?.baseline?.result).not.toBe("Failed");
    await here.tell("stop", "--emergency");
    expect(running()).toEqual([]);
    next.signal("SIGKILL");
  });

onLinux(
  "two stops at once both end all; a resume at the same time leaves it either stopped or at work",
  async () => {
    const here = crew({ holding: 1 });
    const operator = here.rehearse();
    await here.atWork();
    const both = await Promise.all([here.bosun("stop", "--emergency"), here.bosun("stop", "--emergency")]);
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(here.running()).toEqual([]);
    if (both.some(({ text }) => text.includes("was ended too"))) here.rehearse();
    else expect(operator.output()).not.toContain("ended too");

    await here.until("a mode that says so", async () => (await modeOf(here)) === "Stopped");
    const [, { text }] = await Promise.all([here.bosun("resume"), here.bosun("stop", "--emergency")]);
    if (text.includes("was ended too")) here.rehearse();
    const isStopped = () => existsSync(here.workspace.stopLatch);
    await here.until(
      "a mode that agrees",
      async () => (await modeOf(here)) === (isStopped() ? "Stopped" : "Running"),
    );
    // An operator that was started again begins before it sees that the mode stays Stopped, and ends that as any stop does.
    if (isStopped()) await here.none(performance.now());
  },
);

async function workspaceOf(here: Pick<Crew, "object">) {
  return await here.object("Workspace", "scratch");
}

async function modeOf(here: Crew): Promise<string> {
  return (await workspaceOf(here)).spec.mode;
}

/** By the kubectl of this machine where there is one. */
async function setMode({ workspace, client }: Crew, mode: "Running" | "Stopped"): Promise<void> {
  const kubectl = findKubectl();
  const patch = { spec: { mode } };
  if (kubectl === undefined) {
    await client.patch("Workspace", { namespace: "default", name: "scratch" }, patch);
    return;
  }
  const args = ["patch", "workspace", "scratch", "--type=merge", `--patch=${JSON.stringify(patch)}`];
  execFileSync(kubectl.path, args, { env: { ...process.env, KUBECONFIG: workspace.kubeconfig } });
}

function edit(here: Crew, before: string, after: string): void {
  const text = here.read("workspace.yaml");
  expect(text).toContain(before);
  here.write("workspace.yaml", text.replace(before, after));
}
