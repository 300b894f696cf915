import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { KeepsWork } from "../../../pkg/git/repository.ts";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import type { SessionSpec } from "../../../pkg/session/sessions.ts";
import { keepSessions } from "./keep-work.ts";

type Answer = Awaited<ReturnType<KeepsWork["keepWork"]>>;

/** Sessions of authors and a reviewer; all of them are gone but `living`, and kept but where `answers` say else. */
async function keep(answers: Partial<Record<string, Answer | Error>> = {}) {
  const sessions = mkdtempSync(join(tmpdir(), "bosun-keep-work-"));
  onTestFinished(() => rmSync(sessions, { recursive: true, force: true }));
  const purposes = { author: "execute", living: "execute", review: "review" };
  const authors = Object.keys(answers).map((id) => [id, "execute"] as const);
  for (const [id, purpose] of [...Object.entries(purposes), ...authors])
    sessionFolder(sessions, id).writeSpec({
      purpose,
      run: 2,
      agent: "agent-1",
      project: "its project",
      claim: { name: id, number: 7 },
    } as SessionSpec);
  mkdirSync(join(sessions, "damaged"));
  writeFileSync(join(sessions, "damaged", "spec.json"), "{");
  const kept: unknown[] = [];
  const repository: KeepsWork = {
    async keepWork(claim, session, identity) {
      const answer = answers[session] ?? { is: "present", value: "c0ffee" };
      if (answer instanceof Error) throw answer;
      if (answer.is === "present") kept.push({ claim, session, identity });
      return answer;
    },
  };
  const told = await keepSessions({
    sessions,
    repository,
    commits: { authorName: "Crew", authorEmail: "crew@example.com" },
    isGone: async (session) => session !== "living",
  });
  return { told: { ...told, problems: told.problems.toSorted() }, kept };
}

test("the work of each author that is gone is kept; of one that may still write it is not, and that is told", async () => {
  const { told, kept } = await keep({ unseen: { is: "unknown", why: "no index" } });
  expect(kept).toEqual([
    {
      session: "author",
      claim: { project: "author", number: 7, agent: "agent-1" },
      identity: { name: "Crew", email: "crew@example.com" },
    },
  ]);
  expect(told).toEqual({
    kept: ["author"],
    problems: ["session living: it may still be running", "session unseen: no index"],
  });
});

test("what can't be kept, and a checkout that is not there, keep no other work from being kept", async () => {
  const { told } = await keep({ full: new Error("No space left."), lost: { is: "absent" } });
  expect(told).toEqual({
    kept: ["author"],
    problems: ["session full: No space left.", "session living: it may still be running"],
  });
});
