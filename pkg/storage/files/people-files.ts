/**
 * People's YAML files, an input and a projection: edits become writes through the same admission as the API's, and
 * API writes are spliced into the file that declares the object.
 */
import type { KubeObject, ObjectKey } from "../../api/meta.ts";
import { StatusError } from "../../api/status-error.ts";
import type { Change } from "../storage.ts";
import { type FileObject, objectId } from "./file-objects.ts";
import { type FilesStateOptions, openFilesState } from "./files-state.ts";
import type { FolderContent } from "./folder.ts";
import { makeDurable } from "./make-durable.ts";
import { missingObjects } from "./missing-objects.ts";
import { ownerAssignment } from "./owners.ts";
import { fileProjection } from "./project-files.ts";
import { reportReasons } from "./report.ts";
import { refuse, takeEdit } from "./take-edit.ts";
import type { WatchFolder } from "./watch-folder.ts";

export interface PeopleFilesOptions extends FilesStateOptions {
  /** What the storage held of objects when it was opened. */
  initialObjects: readonly Change[];
  /** HEAD of the user's repository: what it points to, or undefined where there is none. */
  head: () => Promise<string | undefined>;
  /** Absent: only the periodic rescan looks. */
  watch?: WatchFolder;
  /**
   * How often all files are looked at whatever the watcher says, in milliseconds; default 5,000: HEAD is compared with
   * the look before, so a long wait would take an old commit for the cause of a deletion.
   */
  rescanMs?: number;
  /** Told what stands in the files and is not in force, for people: at the first look, then on a change. */
  refused?: (messages: readonly string[]) => void;
}

export interface PeopleFiles {
  /** Looks at all files now: takes edits, decides on deletions, writes what the API changed. */
  rescan(): Promise<void>;
  /** Watches until the signal aborts. Rejects when the storage failed. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when every API write heard of so far is in its file, or reported. */
  settled(): Promise<void>;
  /** Deletes every object that is missing from the files, held or not. Returns what it deleted. */
  acceptDeletions(): Promise<readonly ObjectKey[]>;
  /** Hears of no more API writes; resolves when the last one is in its file. */
  close(): Promise<void>;
}

/** By path. */
export type Edited = Map<string, { text: string; objects: readonly FileObject[] }>;

/** How soon to look again at a file that was changing, in milliseconds. */
const changingMs = 100;
const emptied =
  "The file is empty, as a full disk or a broken save leaves it. To delete what it declared, delete the file, or leave a comment in it";

/** Reads the folder, brings files that lag behind the log up to date, and stays ready for both sides' changes. */
export async function openPeopleFiles(options: PeopleFilesOptions): Promise<PeopleFiles> {
  const { admission, clock, report, head, rescanMs = 5_000 } = options;
  const state = openFilesState(options);
  const { records, owners, refused, dirty } = state;
  const assignOwners = ownerAssignment(state);
  const missing = missingObjects(state);
  const projection = fileProjection(state, assignOwners, () => wake());
  /** By object id: what of it can reach a file, as last heard. */
  const prints = new Map<string, string>();
  let nextLookMs = rescanMs;
  let wake = () => {};
  let turn: Promise<unknown> = Promise.resolve();
  let projecting: Promise<void> | undefined;
  let toldUnreadable: string | undefined;
  let toldRefused: string | undefined;
  let toldOfJson: readonly string[] = [];

  for (const { resource, name, object } of options.initialObjects) {
    if (object !== undefined && state.resourceOf(resource)?.file !== undefined)
      dirty.add(objectId(resource, name));
  }
  const unsubscribe = admission.subscribe((changes) => {
    for (const { resource, name, object } of changes) {
      const id = objectId(resource, name);
      if (isStatusAlone(id, object)) continue;
      if (owners.has(id) || state.resourceOf(resource)?.file !== undefined) dirty.add(id);
    }
    projectSoon();
  });
  await inTurn(async () => {
    await projection.settle();
    assignOwners();
    await look();
    for (const id of owners.keys()) dirty.add(id);
    await projection.project();
  });

  return {
    rescan: () => inTurn(look),
    settled,
    acceptDeletions: () =>
      inTurn(async () => {
        await look();
        return missing.accept();
      }),
    async run(signal) {
      const stop = await options.watch?.(options.folder, () => wake());
      try {
        while (!signal.aborted) await lookAndWait(signal);
      } finally {
        await stop?.();
      }
    },
    async close() {
      unsubscribe();
      await settled();
    },
  };

  /** One thing at a time. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = turn.then(work);
    turn = done.catch(() => {
      // Told to who asked.
    });
    return done;
  }

  async function settled(): Promise<void> {
    await projecting;
    await turn;
  }

  /** Status changes often and never reaches a file; generation moves with everything else but metadata. */
  function isStatusAlone(id: string, object: KubeObject | undefined): boolean {
    const { generation, labels, annotations, deletionTimestamp } = object?.metadata ?? {};
    const print = JSON.stringify([generation, labels, annotations, deletionTimestamp]);
    const isSame = generation !== undefined && prints.get(id) === print;
    if (object === undefined) prints.delete(id);
    else prints.set(id, print);
    return isSame;
  }

  function projectSoon(): void {
    if (dirty.size === 0) return;
    projecting ??= inTurn(() => {
      projecting = undefined;
      return projection.project();
    }).catch((error: unknown) => projection.failed(undefined, "The folder", error));
  }

  async function lookAndWait(signal: AbortSignal): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    await inTurn(look).catch((error: unknown) => {
      // The registry refuses only when its storage failed: the end. A folder may be readable again later.
      if (error instanceof StatusError) throw error;
      tellUnreadable(error);
    });
    if (signal.aborted) return;
    const sleep = new AbortController();
    const end = (): void => sleep.abort();
    signal.addEventListener("abort", end, { once: true });
    const slept = clock.sleep(nextLookMs, sleep.signal).catch(() => {
      // Aborted: woken, or the end.
    });
    await Promise.race([woken, slept]);
    signal.removeEventListener("abort", end);
    sleep.abort();
  }

  async function look(): Promise<void> {
    nextLookMs = rescanMs;
    const content = await state.folder.read(records.texts);
    if (content === undefined) return;
    toldUnreadable = undefined;
    tellOfJson(content.json);
    const edited = editedFiles(content);
    const gone = [...records.texts.keys()].filter((path) => !content.files.has(path));
    await makeDurable(state, edited, gone);
    const before = new Map([...owners].map(([id, { path, value }]) => [id, { path, value }]));
    assignOwners(edited, gone);
    addNewOwners(edited, before);
    // Ahead of the texts without them: what neither a file nor a record speaks of would be given a file after a crash.
    // What moved is recorded too, since the file that has it now may be refused.
    await missing.record([...before].filter(([id, { path }]) => owners.get(id)?.path !== path));
    // Each is admitted in its turn, then all are synced together.
    const takes = [...edited].map(([path, { text, objects }]) =>
      takeEdit(state, { path, text, objects }, (id) => before.get(id)?.value),
    );
    await Promise.all(takes);
    const forgotten = gone.map((path) => ({ path, text: undefined }));
    if (gone.length > 0) await state.transact([], forgotten);
    assignOwners();

    tellRefused();
    // Where an edit was refused others are missing, or none.
    await missing.record([...before].filter(([id]) => !owners.has(id)));
    await missing.forget();
    const nextMs = await missing.decide({
      head: await head(),
      elapsed: clock.elapsed(),
      isChanging: [...content.files.values()].includes(undefined),
      refused: [...refused.keys()].sort(),
    });
    if (nextMs !== undefined) nextLookMs = Math.min(nextLookMs, nextMs);
    await projection.project();
  }

  /** Files that are whole, changed, and can be read as objects; the others are told of, once. */
  function editedFiles({ files, unreadable }: FolderContent): Edited {
    const edited: Edited = new Map();
    for (const path of refused.keys()) if (!files.has(path)) refused.delete(path);
    for (const [path, message] of unreadable) {
      if (refused.get(path)?.text !== message)
        refuse(state, path, message, [{ object: undefined, line: 1, message }]);
    }
    for (const [path, text] of files) {
      if (unreadable.has(path)) continue;
      if (text === undefined) nextLookMs = Math.min(nextLookMs, changingMs);
      else if (text === records.texts.get(path)) refused.delete(path);
      else if (refused.get(path)?.text !== text) {
        if (isEmptied(path, text)) {
          refuse(state, path, text, [{ object: undefined, line: 1, message: emptied }]);
          continue;
        }
        const read = state.objectsIn(path, text);
        if (read.valid) edited.set(path, { text, objects: read.objects });
        else
          refuse(
            state,
            path,
            text,
            read.problems.map((problem) => ({ ...problem, object: undefined })),
          );
      }
    }
    return edited;
  }

  function tellRefused(): void {
    const messages = [...[...refused.values()].flatMap((refusal) => refusal.messages), ...toldOfJson];
    const news = messages.join("\n");
    if (news === toldRefused) return;
    toldRefused = news;
    options.refused?.(messages);
  }

  /** As a full disk or a broken save leaves a file; a person who wants to delete deletes. */
  function isEmptied(path: string, text: string): boolean {
    return text.trim() === "" && (records.texts.get(path) ?? "").trim() !== "";
  }

  /** An object that is left to a second file that declared it all along: that file counts from now on. */
  function addNewOwners(edited: Edited, before: ReadonlyMap<string, { path: string }>): void {
    for (const [id, { path }] of owners) {
      const text = records.texts.get(path);
      const last = before.get(id);
      if (text === undefined || last === undefined || last.path === path || edited.has(path)) continue;
      const read = state.objectsIn(path, text);
      if (read.valid) edited.set(path, { text, objects: read.objects });
    }
  }

  /** Of each once, while it is there: kubectl takes such files, and here nothing would come of them. */
  function tellOfJson(paths: readonly string[]): void {
    const messages = paths.map(
      (path) =>
        `${path} is not read: files of this folder are YAML. Rename it to ${path.replace(/json$/, "yaml")}; ` +
        "JSON is YAML too.",
    );
    for (const message of messages)
      if (!toldOfJson.includes(message))
        report({ object: undefined, type: "Warning", reason: reportReasons.invalidFile, message });
    toldOfJson = messages;
  }

  function tellUnreadable(error: unknown): void {
    const message = `The folder can't be read: ${error instanceof Error ? error.message : String(error)}`;
    if (toldUnreadable === message) return;
    toldUnreadable = message;
    report({ object: undefined, type: "Warning", reason: reportReasons.invalidFile, message });
  }
}
