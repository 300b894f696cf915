import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { sessionMarker } from "./process-tree.ts";
import { DamagedFile, sessionFolder } from "./session-folder.ts";
import { openStage, type Stage } from "./testing/stage.ts";
import { openUpstream } from "./testing/upstream.ts";

/** An author whose turn does not end by itself. */
async function working(): Promise<{ stage: Stage; id: string }> {
  const upstream = await openUpstream(() => ({ call: "bash", input: { command: "sleep 600" } }));
  onTestFinished(() => upstream.close());
  const stage = await openStage(upstream);
  onTestFinished(() => stage.close());
  const spec = stage.spec({ toolTimeoutSeconds: 600 });
  await stage.sessions.start(spec);
  await stage.until(spec.id, (seen) => seen.is === "present" && seen.report.busy);
  return { stage, id: spec.id };
}

test("a session whose host.json is damaged is unknown, and keeps nobody from finding, adopting and ending the others", async () => {
  const { stage, id } = await working();
  const damaged = join(stage.places.directory, "damaged");
  // Before the stage is closed, which ends all that runs.
  onTestFinished(() => rmSync(damaged, { recursive: true, force: true }));
  mkdirSync(damaged);
  writeFileSync(join(damaged, "host.json"), "");
  const marked = spawn("sleep", ["600"], { env: { ...process.env, [sessionMarker]: "damaged" } });
  onTestFinished(() => void marked.kill("SIGKILL"));
  const ended = once(marked, "exit");

  const sessions = await stage.reopen();
  onTestFinished(() => sessions.close());
  const why = `${join(damaged, "host.json")} does not hold JSON. Move it away to forget what it said.`;
  expect(await sessions.find("damaged")).toEqual({ is: "unknown", why });
  const unseen = { id: "damaged", agent: undefined, pid: undefined };
  expect(await sessions.running()).toEqual(
    expect.arrayContaining([unseen, { id, agent: "agent-1", pid: expect.any(Number) }]),
  );

  await sessions.stop(id, "Now");
  expect(await sessions.find(id)).toMatchObject({ is: "absent", ordered: true });
  // Something of it lives: it may yet end its turn.
  await expect(sessions.stop("damaged", "AfterTurn")).rejects.toThrow(
    `still run, and can't be told apart: ${why}`,
  );
  expect(marked.exitCode ?? marked.signalCode).toBe(null);
  await expect(sessions.stop("damaged", "Now")).rejects.toThrow(
    new DamagedFile(join(damaged, "host.json"), "does not hold JSON"),
  );
  expect(await ended).toEqual([null, "SIGKILL"]);
  await expect(sessions.stop("damaged", "AfterTurn")).rejects.toBeInstanceOf(DamagedFile);
  // What is seen no more is not proven gone.
  expect(await sessions.running()).toEqual([unseen]);
});

test.each([
  "null",
  "{}",
  '{"state":"running","attempt":"1","place":"here"}',
  '{"state":"running","attempt":"1","place":"here","outermost":{"pid":1},"host":{},"startedAtMs":1}',
])(
  "a host.json that holds %s is damaged, and said so with its path: it was unknown without",
  async (text) => {
    const { stage } = await working();
    const damaged = join(stage.places.directory, "damaged");
    onTestFinished(() => rmSync(damaged, { recursive: true, force: true }));
    mkdirSync(damaged);
    writeFileSync(join(damaged, "host.json"), text);
    const why = `${join(damaged, "host.json")} does not say which host the session has. Move it away to forget what it said.`;
    expect(await stage.sessions.find("damaged")).toEqual({ is: "unknown", why });
  },
);

test("a session whose spec.json is damaged is adopted and ended like any other", async () => {
  const { stage, id } = await working();
  writeFileSync(join(stage.places.directory, id, "spec.json"), "{");
  const sessions = await stage.reopen();
  onTestFinished(() => sessions.close());
  expect(await sessions.find(id)).toMatchObject({ is: "present" });
  expect(await sessions.running()).toEqual([{ id, agent: undefined, pid: expect.any(Number) }]);
  await sessions.stop(id, "AfterTurn");
  expect(sessionFolder(stage.places.directory, id).readOrder()).toBe("AfterTurn");
  await sessions.stop(id, "Now");
  expect(await sessions.find(id)).toMatchObject({ is: "absent", ordered: true });
  expect(await sessions.running()).toEqual([]);
});

test("a folder of a session that a person has put aside by its name keeps nobody from the others", async () => {
  const { stage, id } = await working();
  mkdirSync(join(stage.places.directory, "another.old"));
  const sessions = await stage.reopen();
  onTestFinished(() => sessions.close());
  expect(await sessions.running()).toMatchObject([{ id }]);
});
