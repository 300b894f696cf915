/** The account's usage limit, seen by a person: the fleet pauses until it opens again, and nothing is asked meanwhile. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { type Scratch, scratch } from "./scratch.ts";

interface Asked {
  id: string;
  status: number;
  startMs: number;
  ended: string;
}

/** Each request that the upstream has seen, as it ended. */
function asked({ workspace }: Scratch): Asked[] {
  const lines = readFileSync(path.join(workspace.operator, "rehearsal.jsonl"), "utf8")
    .split("\n")
    .slice(0, -1);
  const records = lines.map((line) => JSON.parse(line) as Asked);
  return [...new Map(records.map((record) => [record.id, record])).values()];
}

test("a used up account pauses sessions without failing them, claims nothing, and goes on by itself", async () => {
  const here = scratch({ projects: { one: { description: "[test: used-up]" }, two: {} } });
  const operator = here.rehearse("--until-settled");
  await here.until("a Workspace that says so", async () => {
    const found = await here.find("Workspace", "scratch");
    return found !== undefined && here.condition(found, "Ready")?.reason === "UsageLimited";
  });
  const agent = await here.until("an agent that is paused", async () => {
    const found = await here.find("Agent", "agent-1");
    return found?.status?.state === "Paused" && found;
  });
  expect(here.condition(agent, "Ready")?.reason).toBe("UsageLimited");
  expect((await here.project("two")).status?.claim).toBeUndefined();
  expect((await here.bosun("why")).text).toMatch(/usage limit is reached: .* until \d\d:\d\d/);
  expect((await here.bosun("status")).text).toMatch(/UsageLimited: .* until \d\d:\d\d/);

  expect(await operator.exited).toBe(0);
  const refused = asked(here).filter(({ status }) => status === 429);
  expect(refused).toHaveLength(1);
  // Nobody asked before it opened again.
  const after = asked(here).filter(
    ({ id, startMs }) => id !== refused[0]?.id && startMs > (refused[0]?.startMs ?? 0),
  );
  expect(after.length).toBeGreaterThan(0);
  expect(Math.min(...after.map(({ startMs }) => startMs)) - (refused[0]?.startMs ?? 0)).toBeGreaterThan(
    14_900,
  );
  expect(operator.output()).toContain("UsageLimited");
  for (const name of ["one", "two"])
    expect(here.git("show", `rehearsal/main:docs/write-${name}.md`)).toBe(`A note on Write ${name}`);
});
