/** What tool calls did, counted by something that no kill takes back: a line in a file for each that ran. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse, stringify } from "yaml";
import { sessionMarker } from "../../pkg/session/process-tree.ts";
import type { Entry } from "../../pkg/session/transcript.ts";

/**
 * Copies a folder of scenarios, so that each command of a step first adds a line to `file`: the session and the step.
 * Without a sandbox alone can commands write there.
 */
export function countedScenarios(from: string, to: string, file: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from).filter((entry) => entry.endsWith(".yaml"))) {
    const scenario: unknown = parse(readFileSync(path.join(from, name), "utf8"));
    writeFileSync(path.join(to, name), stringify(counted(scenario, "", file)));
  }
}

function counted(value: unknown, step: string, file: string): unknown {
  if (Array.isArray(value)) return value.map((entry) => counted(entry, step, file));
  if (typeof value !== "object" || value === null) return value;
  const record = value as Record<string, unknown>;
  const inner = typeof record.step === "string" ? record.step : step;
  const entries = Object.entries(record).map(([key, entry]) => [key, counted(entry, inner, file)]);
  const { tool, input } = Object.fromEntries(entries) as { tool?: string; input?: { command?: string } };
  if (tool !== "bash" || typeof input?.command !== "string") return Object.fromEntries(entries);
  const command = `echo "$${sessionMarker} ${inner}" >> ${file}\n${input.command}`;
  return { ...Object.fromEntries(entries), input: { ...input, command } };
}

/** What the transcript of one session says of its calls. */
interface Calls {
  session: string;
  entries: readonly Entry[];
}

/** Every session of a workspace, by its transcript. */
export function callsOf(sessions: string): Calls[] {
  return readdirSync(sessions).flatMap((session) => {
    const file = path.join(sessions, session, "transcript.jsonl");
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
    return [{ session, entries: lines.map((line) => JSON.parse(line) as Entry) }];
  });
}

/**
 * Tool calls that had their effect more often than the model knows, a sentence each. The model knows of a call by its
 * one result; so a call is made once at most, and what ran is no more than what it asked for.
 *
 * @param effects - lines as counted scenarios write them; undefined where nothing was counted
 */
export function repeatedEffects(
  sessions: readonly Calls[],
  effects: readonly string[] | undefined,
): string[] {
  const wrong: string[] = [];
  const ran = new Map<string, number>();
  for (const line of effects ?? []) ran.set(line, (ran.get(line) ?? 0) + 1);
  for (const { session, entries } of sessions) {
    const begun = entries.flatMap((entry) => (entry.type === "intended" ? [entry] : []));
    const results = entries.flatMap((entry) => (entry.type === "done" ? [entry.call] : []));
    for (const call of repeated(begun.map((entry) => entry.call)))
      wrong.push(`${session} made call ${call} twice.`);
    for (const call of repeated(results)) wrong.push(`${session} has two results of call ${call}.`);
    const asked = new Map<string, number>();
    for (const { call, tool } of begun) {
      if (tool !== "bash") continue;
      const line = `${session} ${stepOf(call)}`;
      asked.set(line, (asked.get(line) ?? 0) + 1);
    }
    for (const [line, count] of ran) {
      if (!line.startsWith(`${session} `) || count <= (asked.get(line) ?? 0)) continue;
      wrong.push(`Step ${line} ran ${count} times and was asked for ${asked.get(line) ?? 0} times.`);
    }
  }
  return wrong;
}

/** The step that a rehearsal's call is of: its id is `toolu_rehearsal_<step>_<turn>_<call>`. */
function stepOf(call: string): string {
  return /^toolu_rehearsal_(.+)_\d+_\d+$/.exec(call)?.[1] ?? call;
}

function repeated(names: readonly string[]): string[] {
  return names.filter((name, index) => names.indexOf(name) !== index);
}
