/** One operator a workspace, whatever its predecessor left behind. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { projectYaml, scratch } from "./scratch.ts";

test("a second operator refuses and names the first; after a kill -9 of the first the next starts at once; stop ends it", async () => {
  const here = scratch();
  const first = here.rehearse();
  await first.ready();
  const second = here.rehearse();
  expect(await second.exited).toBe(1);
  expect(second.output()).toContain(`process ${first.pid}`);
  await here.tell("status");

  first.signal("SIGKILL");
  expect(await first.exited).toBe("SIGKILL");
  const third = here.rehearse();
  await third.ready();
  await here.tell("stop");
  expect(await third.exited).toBe(0);
  expect(await here.left()).toEqual([]);
});

test("neither a stale socket nor a file in its place keeps an operator from starting", async () => {
  const here = scratch();
  const killed = here.rehearse();
  await killed.ready();
  killed.signal("SIGKILL");
  await killed.exited;
  // As a power loss may leave it.
  writeFileSync(`${here.workspace.operator}/lock/1.json`, '{"pid":1,"torn');
  const next = here.rehearse();
  await next.ready();
  await next.end();

  writeFileSync(here.workspace.socket, "no socket");
  const last = here.rehearse();
  await last.ready();
  expect(await here.tell("status")).not.toContain("No operator");
  await last.end();
});

test("an operator that can't see who holds says so and begins nothing, and goes on once it can", async () => {
  const here = scratch();
  const operator = here.rehearse();
  await operator.ready();
  const lock = `${here.workspace.operator}/lock`;
  renameSync(lock, `${lock}.aside`);
  writeFileSync(lock, "Permissions would not keep root out.");
  await here.until("a warning", () => operator.output().includes("Who holds this workspace can't be seen"));
  here.write("projects/one.yaml", projectYaml("one"));
  await here.until("a refusal", () =>
    readFileSync(`${here.workspace.operator}/operator.log`, "utf8").includes("LockUnseen"),
  );

  rmSync(lock);
  renameSync(`${lock}.aside`, lock);
  await here.until("the good news", () => operator.output().includes("can be seen again"));
  await here.phase("one", "Done");
  await operator.end();
  expect(await here.left()).toEqual([]);
});
