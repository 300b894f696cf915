import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { KeepsWork } from "../../../pkg/git/repository.ts";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import type { SessionSpec } from "../../../pkg/session/sessions.ts";
import { keepSessions } from "./keep-work.ts";

/** Sessions of three authors and a reviewer; all of them are gone but `living`, and kept but where `answers` say else. */
async function keep(answers: Partial<Record<string, Awaited<ReturnType<KeepsWork["keepWork"]>>>> = {}) {
  const sessions = mkdtempSync(join(tmpdir(), "bosun-keep-work-"));
  onTestFinished(() => rmSync(sessions, { recursive: true, force: true }));
  const purposes = { author: "execute", living: "execute", unseen: "execute", review: "review" };
  for (const [id, purpose] of Object.entries(purposes))
    sessionFolder(sessions, id).writeSpec({
      purpose,
      agent: "agent-1",
      claim: { name: id, number: 1 },
    } as SessionSpec);
  const kept: string[] = [];
  const repository: KeepsWork = {
    async keepWork(_claim, session) {
      const answer = answers[session] ?? { is: "present", value: "c0ffee" };
      if (answer.is === "present") kept.push(session);
      return answer;
    },
  };
  const told = await keepSessions({
    sessions,
    repository,
    commits: undefined,
    isGone: async (session) => session !== "living",
  });
  return { told: { ...told, problems: told.problems.toSorted() }, kept };
}

test("the work of each author that is gone is kept; of one that may still write it is not, and that is told", async () => {
  const { told, kept } = await keep({ unseen: { is: "unknown", why: "no index" } });
  expect(kept).toEqual(["author"]);
  expect(told).toEqual({
    kept: ["author"],
    problems: ["session living: it may still be running", "session unseen: no index"],
  });
});
