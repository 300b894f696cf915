/** People's files put to work: edits become writes, writes become edits, and what a person must know becomes Events. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { KubeObject } from "../../../pkg/api/meta.ts";
import type { Registry } from "../../../pkg/registry/registry.ts";
import type { Client, Kind } from "../../../pkg/runtime/client.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import type { EventRecorder } from "../../../pkg/runtime/events.ts";
import type { Logger } from "../../../pkg/runtime/logger.ts";
import { ownGitDirectory } from "../../../pkg/sandbox/places.ts";
import type { Glance } from "../../../pkg/storage/files/folder.ts";
import { openPeopleFiles, type PeopleFiles } from "../../../pkg/storage/files/people-files.ts";
import type { FileReport } from "../../../pkg/storage/files/report.ts";
import { watchFolder } from "../../../pkg/storage/files/watch-folder.ts";
import { nodeFileSystem } from "../../../pkg/storage/node-file-system.ts";
import type { StoredState } from "../../../pkg/storage/storage.ts";
import { writeRefusedEdits } from "../refused-edits.ts";
import { FILE_NAMESPACE, type WorkspaceFolder } from "../workspace-folder.ts";
import { onAcceptedDeletions } from "./accepted-deletions.ts";

export interface FilesOptions {
  folder: WorkspaceFolder;
  registry: Registry;
  client: Client;
  stored: StoredState;
  clock: Clock;
  logger: Logger;
  events: EventRecorder;
  /** An earlier look at the folder. */
  glance: Glance | undefined;
  /** Told what a person should read at once: the terminal that started it. */
  note(line: string): void;
}

/** Reads the folder, then follows it until closed. */
export async function openFiles(options: FilesOptions): Promise<PeopleFiles> {
  const { folder, registry, stored, clock, logger, glance } = options;
  const files = await openPeopleFiles({
    folder: folder.path,
    admission: registry,
    initialFiles: stored.files,
    initialObjects: stored.objects,
    fs: nodeFileSystem,
    clock,
    glance,
    report: (report) => void tell(report, options),
    refused: (messages) => writeRefusedEdits(folder, messages),
    head: () => headOf(folder.repository),
    watch: watchFolder,
  });
  const following = new AbortController();
  files
    .run(following.signal)
    .catch((error: unknown) => logger.error("Following people's files ended", { error }));
  const stopAccepting = onAcceptedDeletions(registry, clock.now(), () => {
    files.acceptDeletions().catch((error: unknown) => logger.error("Accepting deletions failed", { error }));
  });
  return {
    ...files,
    close: async () => {
      stopAccepting();
      following.abort();
      await files.close();
    },
  };
}

async function tell(
  { object, type, reason, message }: FileReport,
  { client, events, logger, note }: FilesOptions,
): Promise<void> {
  note(message);
  try {
    const about = object === undefined ? undefined : await client.get(object.kind as Kind, object);
    const [workspace] = (await client.list("Workspace", { namespace: FILE_NAMESPACE })).items;
    const target = (about ?? workspace) as KubeObject | undefined;
    if (target === undefined) logger.warn("A report about people's files has no object", { reason, message });
    else events.event(target, type, reason, message);
  } catch (error) {
    logger.warn("A report about people's files could not be recorded", { reason, message, error });
  }
}

/**
 * The branch that is checked out in this work tree, or the commit where its HEAD is detached: a switch may take files away
 * that nobody deleted. A commit on the branch, the operator's own fast-forward too, does not.
 */
export async function headOf(repository: string): Promise<string | undefined> {
  try {
    return (await readFile(path.join(ownGitDirectory(repository), "HEAD"), "utf8")).trim();
  } catch {
    // No HEAD to compare with: then it has not moved either.
    return undefined;
  }
}
