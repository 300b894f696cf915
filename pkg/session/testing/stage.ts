import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, systemIds } from "../../system/system.ts";
import { waitedTime } from "../../system/testing/waited-time.ts";
import { type OwnedSessions, openSessions, type SessionsOptions } from "../manager.ts";
import type { Outcome, SessionObservation, SessionSpec } from "../sessions.ts";
import type { StampedEntry } from "../transcript.ts";
import type { Upstream } from "./upstream.ts";

/** A workspace in a temporary folder with a checkout of one commit; everything real but the upstream. */
export interface Stage {
  root: string;
  checkout: string;
  sessions: OwnedSessions;
  stopLatch: string;
  sessionFilesDirectory: string;
  /** Where all of it is, for an operator of its own. */
  places: Pick<SessionsOptions, "directory" | "sessionFilesDirectory" | "stopLatch" | "places">;
  /** Sessions as another operator opens them after this one. */
  reopen(): Promise<OwnedSessions>;
  spec(changes?: Partial<SessionSpec>): SessionSpec;
  transcript(id: string): readonly StampedEntry[];
  /** Waits until `find` shows what is wanted. */
  until(id: string, wanted: (seen: SessionObservation) => boolean): Promise<SessionObservation>;
  outcome(id: string): Promise<Outcome>;
  git(...args: string[]): string;
  close(): Promise<void>;
}

const waitLimitMs = 60_000;

export async function openStage(
  upstream: Pick<Upstream, "url">,
  changes: Partial<SessionsOptions> = {},
): Promise<Stage> {
  const root = mkdtempSync(join(tmpdir(), "bosun-session-"));
  const checkout = join(root, "state", "checkouts", "agent-1-project-1");
  const sessionFilesDirectory = join(root, "repository", ".claude-sessions");
  const directory = join(sessionFilesDirectory, ".bosun", "sessions");
  const stopLatch = join(sessionFilesDirectory, ".bosun", "stop");
  mkdirSync(checkout, { recursive: true });
  mkdirSync(directory, { recursive: true });
  const git = (...args: string[]) => execFileSync("git", args, { cwd: checkout, encoding: "utf8" });
  git("init", "-q", "-b", "agent-1/project-1");
  git("config", "user.name", "Bosun agent-1");
  git("config", "user.email", "agent-1@bosun.invalid");
  writeFileSync(join(checkout, "readme.txt"), "hello\n");
  git("add", ".");
  git("commit", "-qm", "Begin");

  const places = {
    directory,
    sessionFilesDirectory,
    stopLatch,
    places: { hide: [join(root, "repository"), join(root, "state")], readOnly: [] },
  };
  const open = () =>
    openSessions({
      ...places,
      money: {
        admit: async ({ session, run }) => ({ url: upstream.url, token: `${session}/${run}` }),
        dismiss: async () => undefined,
      },
      // A host may take as long to start as it does on a starved machine.
      clock: waitedTime(),
      ids: systemIds,
      ...changes,
    });
  const sessions = await open();
  const until: Stage["until"] = async (id, wanted) => {
    const deadline = systemClock.elapsed() + waitLimitMs;
    for (;;) {
      const seen = await sessions.find(id);
      if (wanted(seen)) return seen;
      if (systemClock.elapsed() > deadline) {
        const log = readFileSync(join(directory, id, "host.log"), "utf8");
        throw new Error(`Session ${id} is ${JSON.stringify(seen)}. Its log: ${log}`);
      }
      await systemClock.sleep(20);
    }
  };
  return {
    root,
    checkout,
    sessions,
    stopLatch,
    sessionFilesDirectory,
    places,
    reopen: open,
    spec: (changed = {}) => ({
      id: systemIds.uuid(),
      run: 1,
      agent: "agent-1",
      purpose: "execute",
      claim: { kind: "Project", name: "project-1", uid: "uid-1", number: 1 },
      project: "project-1",
      pool: "execution",
      labels: {},
      checkout,
      branch: "agent-1/project-1",
      model: "claude-sonnet-5-5",
      maxOutputTokens: 4000,
      maxTurns: 20,
      system: "You are an agent.",
      message: "Project: Say hello",
      tasks: [{ id: "T-1", title: "Say hello" }],
      criteria: [{ id: "AC-1", text: "It says hello" }],
      toolTimeoutSeconds: 600,
      sandbox: "Off",
      ...changed,
    }),
    transcript: (id) =>
      readFileSync(join(directory, id, "transcript.jsonl"), "utf8")
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as StampedEntry),
    until,
    async outcome(id) {
      const seen = await until(id, (now) => now.is === "absent");
      if (seen.is !== "absent" || seen.report?.outcome === undefined) {
        const log = readFileSync(join(directory, id, "host.log"), "utf8");
        throw new Error(`The host of ${id} ended without an outcome. Its log: ${log}`);
      }
      return seen.report.outcome;
    },
    git,
    async close() {
      await sessions.close();
      for (const { id } of await sessions.running()) await sessions.stop(id, "Now");
      rmSync(root, { recursive: true, force: true });
    },
  };
}
