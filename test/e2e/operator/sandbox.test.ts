/** Without a sandbox: a rehearsal says so and runs, the real model only with a person's word. */
import { mkdirSync, readdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { startRehearsal } from "../../../pkg/rehearsal/rehearsal.ts";
import { type Scratch, type ScratchOptions, scratch } from "./scratch.ts";

/** A scratch repository on a machine that has everything but bubblewrap. */
function withoutBubblewrap(options: ScratchOptions): Scratch {
  const here = scratch({ ...options, env: { ...options.env, PATH: "{folder}/bin" } });
  const bin = path.join(here.folder, "bin");
  mkdirSync(bin);
  for (const folder of [path.dirname(process.execPath), ...(process.env.PATH ?? "").split(path.delimiter)])
    for (const name of namesIn(folder))
      if (name !== "bwrap") link(path.join(folder, name), path.join(bin, name));
  return here;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // PATH names folders that don't exist.
    return [];
  }
}

function link(from: string, to: string): void {
  try {
    symlinkSync(from, to);
  } catch {
    // The same name in another folder of PATH.
  }
}

test("a rehearsal runs to its end without bubblewrap and says that and why", async () => {
  const here = withoutBubblewrap({ projects: { one: {} } });
  const operator = here.rehearse("--until-settled");
  expect(await operator.exited).toBe(0);
  expect(operator.output()).toContain("No sandbox: `bwrap` is not on PATH");
  expect(here.git("show", "rehearsal/main:docs/write-one.md")).toBe("A note on Write one");
  expect(await here.left()).toEqual([]);
});

test("with the real model and no bubblewrap nothing starts, unless the Workspace says that none is wanted", async () => {
  const api = await startRehearsal({ scenarios: [path.join(import.meta.dirname, "scenarios")] });
  const env = { ANTHROPIC_BASE_URL: api.url, ANTHROPIC_API_KEY: "x" };
  const here = withoutBubblewrap({ projects: { one: {} }, env });
  const refused = here.up();
  expect(await refused.exited).toBe(1);
  expect(refused.output()).toContain("apt install bubblewrap");
  expect(refused.output()).toContain("sandbox: Off");
  expect(api.requests()).toEqual([]);
  expect(await here.left()).toEqual([]);

  here.write("workspace.yaml", `${here.read("workspace.yaml")}  sandbox: Off\n`);
  const allowed = here.up("--until-settled");
  expect([await allowed.exited, allowed.output()]).toEqual([0, expect.stringContaining("-> Done")]);
  expect(here.git("show", "main:docs/write-one.md")).toBe("A note on Write one");
  expect(await here.left()).toEqual([]);
  await api.close();
});
