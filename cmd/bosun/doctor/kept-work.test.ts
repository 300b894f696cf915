import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runIn, temporaryWorkspace } from "../testing/operator.ts";
import { keptWorkFindings } from "./kept-work.ts";

function workspace() {
  const folder = temporaryWorkspace();
  onTestFinished(() => rmSync(folder.repository, { recursive: true }));
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", folder.repository, "-c", "user.name=P", "-c", "user.email=p@x", ...args]);
  git("init", "--quiet");
  git("commit", "--quiet", "--allow-empty", "--message=Begin");
  const state = path.join(folder.repository, ".claude-sessions/state");
  mkdirSync(path.join(state, "gateway"), { recursive: true });
  symlinkSync(path.join(state, "gateway"), folder.gateway);
  const session = (id: string, checkout: string): void => {
    mkdirSync(path.join(folder.sessions, id), { recursive: true });
    const spec = { id, agent: "agent-1", project: "retry", checkout };
    writeFileSync(path.join(folder.sessions, id, "spec.json"), JSON.stringify(spec));
    git("update-ref", `refs/bosun/wip/${id}`, "HEAD");
  };
  return { folder, state, session };
}

test("where nothing was put aside or lost there is nothing to say", async () => {
  const { folder, session } = workspace();
  expect(await keptWorkFindings(folder)).toEqual([]);
  session("alive", folder.path);
  expect(await keptWorkFindings(folder)).toEqual([]);
});

test("a checkout that was put aside is named with why, and so is what was kept of one that is gone", async () => {
  const { folder, state, session } = workspace();
  const aside = path.join(state, "quarantine", "agent-1-retry-3");
  mkdirSync(aside, { recursive: true });
  writeFileSync(`${aside}.txt`, "It has changes that are not committed.\n");
  session("lost", path.join(folder.path, "nowhere"));
  rmSync(path.join(folder.sessions, "lost"), { recursive: true });
  session("gone", path.join(folder.path, "nowhere"));

  const { out } = await runIn(folder.repository, ["doctor"]);
  const said = out.join("\n");
  expect(said).toContain(`was put aside: ${aside}. It has changes that are not committed.`);
  expect(said).toContain(
    "The checkout of agent-1 on retry is gone. What was kept of it at a stop: refs/bosun/wip/gone",
  );
  expect(said).toContain(
    "The checkout of a session is gone. What was kept of it at a stop: refs/bosun/wip/lost",
  );
  expect(said).toContain("git update-ref -d refs/bosun/wip/gone");
});
