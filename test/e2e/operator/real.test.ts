/** The real upstream's way: a credential and an address, `main` itself. The API is played by a server on this machine. */
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Rehearsal, startRehearsal } from "../../../pkg/rehearsal/rehearsal.ts";
import { needSandbox } from "../../../pkg/sandbox/testing/need-sandbox.ts";
import { checkoutOf } from "../checkout.ts";
import { letGo, waitingCheckout } from "../owner/elsewhere.ts";
import { projectYaml, type ScratchOptions, scratch } from "./scratch.ts";

let api: Rehearsal;
beforeAll(async () => {
  api = await startRehearsal({ scenarios: [path.join(import.meta.dirname, "scenarios")] });
});
afterAll(() => api.close());
// Without one the operator refuses to work for real: sandbox.test.ts has that.
beforeEach(needSandbox);

const real = (options: ScratchOptions = {}) =>
  scratch({ ...options, env: { ANTHROPIC_BASE_URL: api.url, ANTHROPIC_API_KEY: "x", ...options.env } });

test("real work is merged into main itself, a clean checkout follows, and the workspace refuses to rehearse from then on", async () => {
  const here = real({ projects: { one: {} } });
  expect(await here.up("--until-settled").exited).toBe(0);

  expect(here.git("status", "--porcelain")).toBe("");
  expect(here.git("show", "HEAD:docs/write-one.md")).toBe("A note on Write one");
  expect(existsSync(path.join(here.repository, "docs/write-one.md"))).toBe(true);
  expect(here.git("log", "--first-parent", "--format=%s", "main")).toBe("Merge project 1: Write one\nBegin");
  expect(here.git("for-each-ref", "refs/heads/rehearsal")).toBe("");
  expect(await here.left()).toEqual([]);

  const rehearsal = here.rehearse();
  expect(await rehearsal.exited).toBe(1);
  expect(rehearsal.output()).toContain("works with the real model");
});

test("a workspace that has rehearsed refuses to work for real, and says how to begin", async () => {
  const here = real();
  const rehearsal = here.rehearse();
  await here.until("a rehearsing Workspace", async () => {
    const found = await here.find("Workspace", "scratch");
    return found?.status?.upstream === "Rehearsal";
  });
  await rehearsal.end();

  const refused = here.up();
  expect(await refused.exited).toBe(1);
  expect(refused.output()).toContain("has been rehearsing");
  expect(await here.left()).toEqual([]);
});

test("without a credential nothing starts, and the message names the variable and the rehearsal", async () => {
  const here = scratch({ projects: { one: {} } });
  const refused = here.up();
  expect(await refused.exited).toBe(1);
  expect(refused.output()).toContain("ANTHROPIC_API_KEY");
  expect(refused.output()).toContain("bosun up --rehearse");
  expect(await here.left()).toEqual([]);
});

test("a commit that the person makes on main meanwhile is taken in first, and main goes on from it", async () => {
  const here = real({ projects: { one: { description: "[test: held]" } } });
  const operator = here.up("--until-settled");
  const checkout = await here.until("a command that waits", () => waitingCheckout(here, "agent-1"));
  writeFileSync(path.join(here.repository, "NEWS.md"), "Mine\n");
  here.git("add", "NEWS.md");
  here.git("commit", "--quiet", "--message=News");
  const mine = here.git("rev-parse", "HEAD");
  letGo(checkout);
  expect(await operator.exited).toBe(0);

  expect(here.git("log", "--first-parent", "--format=%s", "main")).toBe(
    "Merge project 1: Write one\nNews\nBegin",
  );
  expect(here.git("rev-parse", "main^")).toBe(mine);
  expect(readFileSync(path.join(here.repository, "NEWS.md"), "utf8")).toBe("Mine\n");
  expect(here.git("status", "--porcelain")).toBe("");
});

test("a checkout in the way keeps every byte while work goes on, and follows once it is clean", async () => {
  const here = real({ projects: { one: {} } });
  const mine = path.join(here.repository, "docs");
  writeFileSync(mine, "A file of the person's where the work wants a folder\n");
  appendFileSync(path.join(here.repository, "README.md"), "Half a thought\r\n");
  const before = checkoutOf(here.repository);
  const operator = here.up();
  await here.phase("one", "Done");
  here.write("projects/two.yaml", projectYaml("two"));
  await here.phase("two", "Done");

  const behind = await here.until("a Workspace that says so", async () => {
    const found = here.condition(await here.object("Workspace", "scratch"), "TargetInSync");
    return found?.status === "False" && found;
  });
  expect(behind.reason).toBe("CheckoutDirty");
  expect(behind.message).toContain("docs");
  const { files, ...rest } = checkoutOf(here.repository);
  const { ".claude-sessions/projects/two.yaml": _two, ...others } = files;
  expect({ ...rest, files: others }).toEqual(before);

  rmSync(mine);
  // Files first, then index, then the branch.
  const merges = () => here.git("log", "--first-parent", "--format=%s", "main").split("\n").length - 1;
  await here.until("a branch that follows", () => merges() === 2);
  expect(existsSync(path.join(here.repository, "docs/write-two.md"))).toBe(true);
  expect(readFileSync(path.join(here.repository, "README.md"), "utf8")).toBe(
    "# A library\nHalf a thought\r\n",
  );
  await operator.end();
});

test("a rewritten main stops the queue with an Escalation, and putting the commits back lets it go on", async () => {
  const here = real({ projects: { one: {} } });
  const operator = here.up();
  await here.phase("one", "Done");
  const merged = await here.until("a main that follows, and is known to", async () => {
    const workspace = await here.object("Workspace", "scratch");
    const main = here.git("rev-parse", "main");
    return (
      workspace.status?.target?.commit === main &&
      here.condition(workspace, "TargetInSync")?.status === "True" &&
      here.git("log", "--format=%s", main).includes("Merge") &&
      main
    );
  });
  here.git("reset", "--quiet", "--hard", "main^");
  await here.until("an Escalation", () => here.find("Escalation", "target-rewritten-1"));
  here.write("projects/two.yaml", projectYaml("two"));
  const why = await here.until("a reason", async () => {
    const { text } = await here.bosun("why", "two");
    return text.includes("TargetRewritten") && text;
  });
  expect(why).toContain("was rewritten");
  expect(here.git("log", "--format=%s", "main")).toBe("Begin");

  here.git("reset", "--quiet", "--hard", merged);
  await here.phase("two", "Done");
  await here.until("a checkout that follows", () =>
    here.git("log", "--format=%s", "main").includes("Write two"),
  );
  await here.tell("resolve", "target-rewritten-1", "Resolved");
  await here.until("an answered Escalation", async () => {
    const { status } = await here.object("Escalation", "target-rewritten-1");
    return status?.state === "Resolved";
  });
  await operator.end();
});
