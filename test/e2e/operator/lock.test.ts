/** One operator a workspace, whatever its predecessor left behind. */
import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { scratch } from "./scratch.ts";

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
