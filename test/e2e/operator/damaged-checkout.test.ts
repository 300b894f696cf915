/** A checkout that can't be read keeps nobody waiting: it is put aside whole, and the work goes on in another. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { scratch } from "./scratch.ts";

test("work that is handed over in a checkout that can't be read is done again, and the checkout put aside and told of", async () => {
  const here = scratch({ projects: { one: { description: "[test: damaging]" } } });
  expect(await here.rehearse("--until-settled").exited).toBe(0);

  expect(here.git("show", "rehearsal/main:docs/note.md")).toBe("A note, written again");
  const doctor = await here.bosun("doctor");
  const [aside = ""] = /\S*\/quarantine\/agent-1-one-1/.exec(doctor.text) ?? [];
  expect(readFileSync(path.join(aside, "docs/note.md"), "utf8")).toBe("A note\n");
  expect(existsSync(`${aside}.txt`)).toBe(true);
  expect(await here.left()).toEqual([]);
});
