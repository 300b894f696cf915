import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { SetupCommand } from "./sessions.ts";
import { openStage, type Stage } from "./testing/stage.ts";
import { openUpstream, type Turn } from "./testing/upstream.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function stageWith(turns: readonly Turn[]): Promise<{ stage: Stage; asked(): number }> {
  const upstream = await openUpstream((_request, index) => turns[index] ?? { say: "Nothing left." });
  opened.push(upstream);
  const stage = await openStage(upstream);
  opened.push(stage);
  return { stage, asked: () => upstream.requests.length };
}

const setup = (run: string): SetupCommand => ({ run, timeoutSeconds: 600, network: "none" });
/** Counts how often it ran. */
const counting = setup("mkdir -p deps && echo ran >> deps/installed");
const bash = (command: string): Turn => ({ call: "bash", input: { command } });
const handIn: Turn = {
  call: "request_review",
  input: { summary: "Done.", evidence: [{ criterion: "AC-1", evidence: "more.txt" }] },
};
const runs = (stage: Stage): string => readFileSync(join(stage.checkout, "deps/installed"), "utf8");

test("setup is done before the first turn, once for a checkout, and what git ignores of it is in no commit", async () => {
  const commitAll = bash(
    "test -e deps/installed && echo more > more.txt && git add -A && git commit -qm More",
  );
  const { stage } = await stageWith([commitAll, handIn, bash("true"), handIn, handIn]);
  writeFileSync(join(stage.checkout, ".gitignore"), "deps/\n");
  const spec = stage.spec({ setup: counting });
  await stage.sessions.start(spec);
  expect(await stage.outcome(spec.id)).toMatchObject({ kind: "Finished" });
  expect(stage.git("show", "--name-only", "--format=", "HEAD").split("\n").sort()).toEqual([
    "",
    ".gitignore",
    "more.txt",
  ]);

  await stage.sessions.start({ ...spec, run: 2, message: "Once more" });
  await stage.until(spec.id, (seen) => seen.is === "absent" && seen.report?.run === 2);
  expect(runs(stage)).toBe("ran\n");
});

test("a setup that fails ends the run with the end of its output, and the next start tries it again", async () => {
  const { stage, asked } = await stageWith([bash("true"), handIn, handIn]);
  const spec = stage.spec({ setup: setup("echo no such package; test -e mended") });
  await stage.sessions.start(spec);
  expect(await stage.outcome(spec.id)).toEqual({
    kind: "Failed",
    reason: "SetupFailed",
    message:
      "spec.commands.setup (`echo no such package; test -e mended`) exited with 1. Its output ends:\nno such package",
  });
  expect(asked()).toBe(0);

  writeFileSync(join(stage.checkout, ".git/info/exclude"), "mended\n");
  writeFileSync(join(stage.checkout, "mended"), "");
  await stage.sessions.start(spec);
  await stage.until(spec.id, (seen) => seen.is === "absent" && seen.report?.outcome?.kind === "Finished");
});

test("a setup that takes too long is ended, and says so", async () => {
  const { stage } = await stageWith([]);
  const spec = stage.spec({ setup: { ...setup("sleep 600"), timeoutSeconds: 1 } });
  await stage.sessions.start(spec);
  expect(await stage.outcome(spec.id)).toMatchObject({
    reason: "SetupFailed",
    message: expect.stringContaining("was ended after 1 seconds"),
  });
});

test("a session is busy while its setup runs; one that was cut short is done again", async () => {
  const { stage } = await stageWith([bash("true"), handIn, handIn]);
  const spec = stage.spec({
    setup: setup("while [ ! -e .git/go ]; do sleep 0.02; done; echo ran >> .git/ran"),
  });
  await stage.sessions.start(spec);
  await stage.until(spec.id, (seen) => seen.is === "present" && seen.report.busy);
  await stage.sessions.stop(spec.id, "Now");
  expect(existsSync(join(stage.checkout, ".git/ran"))).toBe(false);

  writeFileSync(join(stage.checkout, ".git/go"), "");
  await stage.sessions.start(spec);
  expect(await stage.outcome(spec.id)).toMatchObject({ kind: "Finished" });
  expect(existsSync(join(stage.checkout, ".git/ran"))).toBe(true);
});

test("a checkout that was made anew, or another command, is set up again", async () => {
  const { stage } = await stageWith([handIn, handIn, handIn, handIn, handIn, handIn]);
  writeFileSync(join(stage.checkout, ".git/info/exclude"), "deps/\n");
  const spec = stage.spec({ setup: counting });
  const runOf = async (run: number, command: SetupCommand): Promise<void> => {
    await stage.sessions.start({ ...spec, run, setup: command });
    await stage.until(spec.id, (seen) => seen.is === "absent" && seen.report?.outcome?.kind === "Finished");
  };
  await runOf(1, counting);
  await runOf(2, { ...counting, run: `${counting.run} && true` });
  expect(runs(stage)).toBe("ran\nran\n");

  const old = `${stage.checkout}-old`;
  renameSync(stage.checkout, old);
  mkdirSync(stage.checkout);
  renameSync(join(old, ".git"), join(stage.checkout, ".git"));
  stage.git("checkout", "-q", "--", ".");
  rmSync(old, { recursive: true });
  await runOf(3, { ...counting, run: `${counting.run} && true` });
  expect(runs(stage)).toBe("ran\n");
});

test("a reviewer's checkout is not set up", async () => {
  const { stage } = await stageWith([]);
  const spec = stage.spec({ purpose: "review", branch: "", tasks: [], setup: counting, maxTurns: 1 });
  await stage.sessions.start(spec);
  await stage.outcome(spec.id);
  expect(existsSync(join(stage.checkout, "deps"))).toBe(false);
});
