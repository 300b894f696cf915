/** Runs the person's own `spec.notify.command` for what needs a person. */
import path from "node:path";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { timestamp } from "../../../pkg/runtime/clock.ts";
import { runCommand } from "../../../pkg/sandbox/run.ts";
import { readIfPresent } from "../../../pkg/storage/blocking-files.ts";
import { replaceFileSync } from "../../../pkg/storage/replace-file.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";
import { type FollowOptions, followObjects } from "./follow-objects.ts";
import { type Notice, noticesOf } from "./notices.ts";

export interface NotifyOptions extends FollowOptions {
  folder: WorkspaceFolder;
  clock: Clock;
  /** Of the person who started the operator: the command is theirs. */
  env: Readonly<Record<string, string | undefined>>;
}

/** What a command that only passes a line on can take, in seconds. */
const timeoutSeconds = 30;
/** The last so many things are remembered as told. */
const rememberedMax = 2_000;
/** What is kept of a command's output, for the log when it fails. */
const outputBytesMax = 4_096;

/**
 * Tells each thing once, also over restarts: what was told is remembered in `.bosun/notified.json`. After a crash in
 * the middle of a command it is told again, since twice is better than never. Abort the answer to end it.
 */
export function notifyPerson(options: NotifyOptions): AbortController {
  const { client, logger, folder } = options;
  const ending = new AbortController();
  const memory = path.join(folder.operator, "notified.json");
  let isLooking = false;
  let again = false;

  /** One look at a time; a change meanwhile makes for one more. */
  const look = async (): Promise<void> => {
    again = true;
    if (isLooking) return;
    isLooking = true;
    while (again && !ending.signal.aborted) {
      again = false;
      await tellNews().catch((error: unknown) => logger.warn("A person could not be notified", { error }));
    }
    isLooking = false;
  };
  const following = (["Workspace", "Escalation", "Budget"] as const).map((kind) =>
    followObjects(kind, options, () => void look()),
  );
  ending.signal.addEventListener("abort", () => {
    for (const one of following) one.abort();
  });
  return ending;

  async function tellNews(): Promise<void> {
    const inWorkspace = { namespace: options.namespace };
    const [workspace] = (await client.list("Workspace", inWorkspace)).items;
    const command = workspace?.spec.notify?.command;
    if (workspace === undefined || command === undefined) return;
    const notices = noticesOf({
      workspace,
      escalations: (await client.list("Escalation", inWorkspace)).items,
      budgets: (await client.list("Budget", inWorkspace)).items,
    });
    const told = recall(memory);
    for (const [key, notice] of notices) {
      if (told.includes(key)) continue;
      await run(command, workspace.metadata.name, notice);
      if (ending.signal.aborted) return;
      told.push(key);
      replaceFileSync(memory, `${JSON.stringify(told.slice(-rememberedMax))}\n`, { durable: false });
    }
  }

  async function run(command: string, workspace: string, notice: Notice): Promise<void> {
    const { clock, env } = options;
    const line = { time: timestamp(clock.now()), workspace, repository: folder.repository, ...notice };
    const given = Object.entries(env).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    );
    const { exitCode, timedOut, output } = await runCommand({
      // What the line says is data on stdin; only what the person wrote is read by a shell.
      // bash takes a stdin that is no file for a remote login and would read the person's ~/.bashrc.
      launch: {
        file: "bash",
        args: ["--norc", "-c", command],
        env: Object.fromEntries(given),
        contained: false,
      },
      cwd: folder.repository,
      timeoutSeconds,
      clock,
      maxOutputBytes: outputBytesMax,
      signal: ending.signal,
      stdin: `${JSON.stringify(line)}\n`,
    });
    // Ended by us, it did not fail; the next operator tells it again.
    if ((exitCode === 0 && !timedOut) || ending.signal.aborted) return;
    logger.warn("spec.notify.command failed", { command, exitCode, timedOut, output, notice });
  }
}

/** What was told; nothing where the file is missing or damaged: then things are told again. */
function recall(file: string): string[] {
  try {
    const known: unknown = JSON.parse(readIfPresent(file) ?? "[]");
    return Array.isArray(known) ? known.filter((key) => typeof key === "string") : [];
  } catch {
    return [];
  }
}
