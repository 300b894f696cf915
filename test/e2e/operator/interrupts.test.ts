/** Ctrl-C, as the terminal sends it: once to finish turns and save, twice to stop now. A terminal that is closed is the first. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import { letGo, waitingCheckout } from "../owner/elsewhere.ts";
import { type OperatorProcess, type Scratch, scratch } from "./scratch.ts";

const held = { description: "[test: held]" };
const slow = { description: "[test: slow]", tasks: 2 };
const endless = { description: "[rehearse: hang]" };

/** Each transcript by its session, as it lies on the disk. */
function transcripts({ workspace }: Scratch): Record<string, string> {
  return Object.fromEntries(
    readdirSync(workspace.sessions).map((id) => [
      id,
      readFileSync(path.join(workspace.sessions, id, "transcript.jsonl"), "utf8"),
    ]),
  );
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // Not written yet.
    return otherwise;
  }
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  test(`${signal} once lets the running turn finish, leaves no process, and the next start resumes the same session`, async () => {
    const here = scratch({ projects: { one: held } });
    const first = here.rehearse();
    const turn = await here.until("a turn that waits", () => waitingCheckout(here, "agent-1"));
    const session = (await here.agent("agent-1")).status?.session?.id ?? "";
    first.signal(signal);
    const { readOrder } = sessionFolder(here.workspace.sessions, session);
    await here.until("a session that is told", () => readOrder() === "AfterTurn");
    letGo(turn);
    expect(await first.exited).toBe(0);
    expect(first.output()).toContain("Stopped. All state is kept");
    expect(await here.left()).toEqual([]);
    const before = transcripts(here);
    expect(Object.keys(before)).toEqual([session]);
    const checkout = path.join(here.folder, "state");
    expect(commitsBelow(here, checkout)).toContain("End as Bosun agent-1");

    expect(await here.rehearse("--until-settled").exited).toBe(0);
    expect(here.git("log", "--format=%s", "rehearsal/main").split("\n").toSorted()).toEqual([
      "Begin",
      "Begin as Bosun agent-1",
      "End as Bosun agent-1",
      "Merge project 1: Write one",
    ]);
    const [id = "", text = ""] = Object.entries(before)[0] ?? [];
    expect(transcripts(here)[id]?.startsWith(text)).toBe(true);
    expect(await here.left()).toEqual([]);
  });
}

test("an operator ends after the processes of git that stay, also where they take their time", async () => {
  const here = scratch({ projects: { one: {} }, env: { PATH: `{folder}/bin:${process.env.PATH}` } });
  const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  const slow = `case "$*" in *--batch-command*|*--stdin*) ${real} "$@"; code=$?; sleep 1; exit $code;; esac`;
  mkdirSync(path.join(here.folder, "bin"));
  writeFileSync(path.join(here.folder, "bin/git"), `#!/bin/sh\n${slow}\nexec ${real} "$@"\n`, {
    mode: 0o755,
  });
  expect(await here.rehearse("--until-settled").exited).toBe(0);
  expect(await here.left()).toEqual([]);
});

test("an operator whose reader is gone (`bosun up | tee`, of which Ctrl-C ends both) ends in order, and leaves no process", async () => {
  const here = scratch({ projects: { one: slow } });
  const piped = here.rehearseBy(["sh", "-c", '"$@" 2>&1 | sed "/working on one/q"', "sh"]);
  await piped.exited;
  expect(piped.output()).toContain("agent-1: working on one");
  expect(await here.left()).toEqual([]);
});

test("a second Ctrl-C stops at once, in the middle of a turn, and the next start goes on with the same session", async () => {
  const here = scratch({ projects: { one: endless } });
  const first = here.rehearse();
  const { id, pid } = await here.until("a session in its turn", async () => {
    const found = await here.find("Agent", "agent-1");
    const session = found?.status?.session;
    return session?.pid !== undefined && session;
  });
  await here.until("a request under way", () => upstreamLog(here).includes('"Open"'));
  await interruptTwice(here, first);
  expect(await here.left()).toEqual([]);

  const second = here.rehearse();
  await second.ready();
  const agent = await here.until("the same session in another host, or a failure", async () => {
    const found = await here.find("Agent", "agent-1");
    const now = found?.status?.session?.pid;
    return ((now !== undefined && now !== pid) || found?.status?.lastError !== undefined) && found;
  });
  expect(agent.status?.session?.id).toBe(id);
  expect(agent.status?.lastError).toBeUndefined();
  expect(agent.status?.failures ?? 0).toBe(0);
  await interruptTwice(here, second);
  expect(await here.left()).toEqual([]);
});

test("Ctrl-C while it still starts ends it in order, and leaves no process", async () => {
  const here = scratch({ projects: { one: slow } });
  const operator = here.rehearse();
  await here.until(
    "a rehearsal model",
    () => readOr(path.join(here.workspace.operator, "rehearsal.port"), "") !== "",
  );
  operator.signal("SIGINT");
  expect(await operator.exited).toBe(0);
  expect(await here.left()).toEqual([]);
});

async function interruptTwice(here: Scratch, operator: OperatorProcess): Promise<void> {
  operator.signal("SIGINT");
  await here.until("the promise to finish turns", () =>
    operator.output().includes("Ctrl-C again stops them now"),
  );
  operator.signal("SIGINT");
  expect(await operator.exited).toBe(0);
}

const upstreamLog = ({ workspace }: Scratch): string =>
  readOr(path.join(workspace.operator, "rehearsal.jsonl"), "");

/** Subjects of the commits in the agent's own checkout, which only its folder knows. */
function commitsBelow(here: Scratch, folder: string): string {
  const [found] = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith("/.git"),
  );
  if (found === undefined) return "";
  return here.git("-C", path.join(folder, path.dirname(found)), "log", "--format=%s");
}
