/** The person's own `spec.notify.command`: it is given one line, as JSON on its stdin. */
import { type Clock, timestamp } from "../../../pkg/runtime/clock.ts";
import type { Logger } from "../../../pkg/runtime/logger.ts";
import { runCommand } from "../../../pkg/sandbox/run.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";
import type { Notice } from "./notices.ts";

export interface NotifyCommand {
  command: string;
  /** Name of the Workspace. */
  workspace: string;
  folder: WorkspaceFolder;
  clock: Clock;
  /** Of the person who started the operator: the command is theirs. */
  env: Readonly<Record<string, string | undefined>>;
  logger: Pick<Logger, "warn">;
  /** Ends the command; then it has not failed. */
  signal: AbortSignal;
}

/** What a command that only passes a line on can take, in seconds. */
const timeoutSeconds = 30;
/** What is kept of a command's output, for the log when it fails. */
const outputBytesMax = 4_096;

/** Resolves when the command has ended. One that fails is logged, and not tried again. */
export async function runNotifyCommand(
  { command, workspace, folder, clock, env, logger, signal }: NotifyCommand,
  notice: Notice,
): Promise<void> {
  const line = { time: timestamp(clock.now()), workspace, repository: folder.repository, ...notice };
  const given = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
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
    signal,
    stdin: `${JSON.stringify(line)}\n`,
  });
  // Ended by us, it did not fail; the next operator tells it again.
  if ((exitCode === 0 && !timedOut) || signal.aborted) return;
  logger.warn("spec.notify.command failed", { command, exitCode, timedOut, output, notice });
}
