/** Tells the person's own command of a full disk, while nothing runs that follows objects. */
import { lastKnown } from "../operator-client/last-known.ts";
import { type NotifyCommand, runNotifyCommand } from "./notify-command.ts";

export interface FullDiskNotice extends Omit<NotifyCommand, "command" | "workspace" | "logger"> {
  /** For people. */
  message: string;
  /** Given a line when the command fails. */
  note(line: string): void;
}

/**
 * Resolves when the command has ended, at once where the workspace has none, and in a cluster, whose objects are not here.
 *
 * @throws TerminalError when the log is damaged
 */
export async function notifyOfFullDisk({ message, note, ...running }: FullDiskNotice): Promise<void> {
  const objects = await lastKnown(running.folder.log);
  const workspace = (await objects?.list("Workspace"))?.items[0];
  const command = workspace?.spec.notify?.command;
  if (workspace === undefined || command === undefined) return;
  const { kind, metadata } = workspace;
  const warn = (what: string, fields: { output?: unknown } = {}): void =>
    note(`Warning: ${what}: ${String(fields.output ?? "").trim()}`);
  await runNotifyCommand(
    { ...running, command, workspace: metadata.name, logger: { warn } },
    { type: "FullDisk", object: { kind, name: metadata.name }, message },
  );
}
