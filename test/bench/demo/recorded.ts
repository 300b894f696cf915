/** What a demo run did, read from what it left behind: the commands that a script has to repeat without Bosun. */
import { readdirSync } from "node:fs";
import { lastKnown } from "../../../cmd/bosun/operator-client/last-known.ts";
import { workspaceFolder } from "../../../cmd/bosun/workspace-folder.ts";
import type { Demo } from "../../../hack/demo/prepare.ts";
import type { ContentBlock } from "../../../pkg/session/runner/blocks.ts";
import { toolCalls } from "../../../pkg/session/runner/blocks.ts";
import { entriesOfRun } from "../../../pkg/session/runner/conversation.ts";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import type { SessionSpec } from "../../../pkg/session/sessions.ts";
import { openTranscript, type StampedEntry } from "../../../pkg/session/transcript.ts";

/** A tool call that changes or asks something outside of the session. */
export type Call =
  | { tool: "bash"; command: string }
  | { tool: "write_file"; path: string; content: string }
  | { tool: "edit_file"; path: string; old_text: string; new_text: string }
  | { tool: "read_file"; path: string };

export interface RecordedProject {
  name: string;
  /** The author's calls, run by run: the first work, then each rework. */
  runs: readonly (readonly Call[])[];
  /** The reviewer's calls, one list for each run. */
  reviews: readonly (readonly Call[])[];
  merged: boolean;
}

export interface Recorded {
  /** In the order in which they are claimed. */
  projects: readonly RecordedProject[];
  commands: readonly string[];
  authors: number;
  reviewers: number;
}

/** One session of a run, with all that it wrote down. */
export interface RecordedSession {
  spec: SessionSpec;
  entries: readonly StampedEntry[];
}

/**
 * Reads it from a demo that has come to its end.
 *
 * @throws Error when a session used a tool that the script could not repeat
 */
export async function recorded(demo: Demo): Promise<Recorded> {
  const client = await lastKnown(workspaceFolder(demo.repository).log);
  if (client === undefined) throw new Error(`Nothing was recorded in ${demo.repository}.`);
  const { items: projects } = await client.list("Project");
  const { items: pools } = await client.list("AgentPool");
  const { items: workspaces } = await client.list("Workspace");
  const sessions = sessionsOf(demo);
  const count = (role: string): number =>
    pools.filter(({ spec }) => spec.role === role).reduce((sum, { spec }) => sum + spec.replicas, 0);
  const commands = workspaces[0]?.spec.commands ?? {};
  return {
    projects: [...projects]
      .sort((a, b) => (a.status?.number ?? 0) - (b.status?.number ?? 0))
      .map(({ metadata: { name }, status }) => ({
        name,
        runs: callsOf(sessions, name, "execute"),
        reviews: callsOf(sessions, name, "review"),
        merged: status?.phase === "Done",
      })),
    commands: (["setup", "lint", "test", "build"] as const).flatMap((kind) => commands[kind]?.run ?? []),
    authors: count("Execution"),
    reviewers: count("Review"),
  };
}

/** Every session of a run, the oldest first. */
export function sessionsOf(demo: Demo): readonly RecordedSession[] {
  const { sessions } = workspaceFolder(demo.repository);
  return readdirSync(sessions)
    .flatMap((id): RecordedSession[] => {
      const folder = sessionFolder(sessions, id);
      const spec = folder.readSpec();
      if (spec === undefined) return [];
      const transcript = openTranscript(folder.transcriptPath, () => 0);
      transcript.close();
      return [{ spec, entries: transcript.entries }];
    })
    .sort((a, b) => ((a.entries[0]?.at ?? "") < (b.entries[0]?.at ?? "") ? -1 : 1));
}

function callsOf(
  sessions: readonly RecordedSession[],
  project: string,
  purpose: SessionSpec["purpose"],
): readonly (readonly Call[])[] {
  const own = sessions.filter(({ spec }) => spec.project === project && spec.purpose === purpose);
  return own.flatMap(({ spec, entries }) =>
    Array.from({ length: spec.run }, (_, index) => entriesOfRun(entries, index + 1))
      .filter((run) => run.length > 0)
      .map((run) =>
        run.flatMap((entry) => (entry.type === "assistant" ? toolCalls(entry.content).flatMap(callOf) : [])),
      ),
  );
}

function callOf({ name, input }: Extract<ContentBlock, { type: "tool_use" }>): Call[] {
  const given = input as Record<string, string>;
  if (name === "bash") return [{ tool: name, command: given.command ?? "" }];
  if (name === "write_file") return [{ tool: name, path: given.path ?? "", content: given.content ?? "" }];
  if (name === "edit_file") {
    const { path = "", old_text = "", new_text = "" } = given;
    return [{ tool: name, path, old_text, new_text }];
  }
  if (name === "read_file") return [{ tool: name, path: given.path ?? "" }];
  // What is only said to the operator is no command.
  if (["task_done", "request_review", "submit_review"].includes(name)) return [];
  throw new Error(`The demo uses the tool ${name}, which its bare script does not know yet. Add it here.`);
}
