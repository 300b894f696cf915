/**
 * People's YAML files, an input and a projection: edits become writes through the same admission as the API's, and
 * API writes are spliced into the file that declares the object.
 */
import { dirname, join } from "node:path";
import type { KubeObject, ObjectKey } from "../../api/meta.ts";
import { StatusError } from "../../api/status-error.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Admission, Edit, ResourceInfo } from "../admission.ts";
import type { FileSystem } from "../file-system.ts";
import { replaceFile } from "../replace-file.ts";
import type { Change, FileText } from "../storage.ts";
import { deletionGuard } from "./deletion-guard.ts";
import { type FileObject, type FileObjects, objectId, readFileObjects } from "./file-objects.ts";
import { openFolder } from "./folder.ts";
import { type JsonMap, pathString, sameJson } from "./json.ts";
import { type EditProblem, personEdits, statusProblems } from "./person-edits.ts";
import { newDocument, projectOnto } from "./projection.ts";
import { missingRecord, openRecords, projectingRecord } from "./records.ts";
import { type Report, reportedObject, reportReasons } from "./report.ts";
import { appendDocument, removeDocument, SpliceError, splice } from "./splice.ts";
import type { WatchFolder } from "./watch-folder.ts";

export interface PeopleFilesOptions {
  /** `.claude-sessions`, absolute. */
  folder: string;
  admission: Admission;
  /** What the storage held when it was opened. */
  initialFiles: readonly FileText[];
  initialObjects: readonly Change[];
  fs: FileSystem;
  clock: Clock;
  report: Report;
  /** HEAD of the user's repository: what it points to, or undefined where there is none. */
  head: () => Promise<string | undefined>;
  /** Absent: only the periodic rescan looks. */
  watch?: WatchFolder;
  /** How often all files are looked at whatever the watcher says, in milliseconds; default 30,000. */
  rescanMs?: number;
}

export interface PeopleFiles {
  /** Looks at all files now: takes edits, decides on deletions, writes what the API changed. */
  rescan(): Promise<void>;
  /** Watches until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when every API write heard of so far is in its file, or reported. */
  settled(): Promise<void>;
  /** Deletes every object that is missing from the files, held or not. Returns what it deleted. */
  acceptDeletions(): Promise<readonly ObjectKey[]>;
  /** Hears of no more API writes; resolves when the last one is in its file. */
  close(): Promise<void>;
}

/** How soon to look again at a file that was changing, in milliseconds. */
const changingMs = 100;
const newFileMode = 0o644;
const newDirectoryMode = 0o755;

/** Reads the folder, brings files that lag behind the log up to date, and stays ready for both sides' changes. */
export async function openPeopleFiles(options: PeopleFilesOptions): Promise<PeopleFiles> {
  const { folder: root, admission, fs, clock, report, head, rescanMs = 30_000 } = options;
  const folder = openFolder(options);
  const records = openRecords(options.initialFiles);
  const guard = deletionGuard();
  const resources = admission.resources();
  const parsedTexts = new Map<string, { text: string; objects: FileObjects }>();
  /** Which file an object lives in, of those that declare it. */
  const owners = new Map<string, FileObject & { path: string }>();
  /** By path: the text that was refused, so that it is told once. */
  const refused = new Map<string, string>();
  const toldDuplicates = new Map<string, string>();
  const toldHeld = new Set<string>();
  const toldFailed = new Map<string, string>();
  /** Ids of objects whose file may lag behind them. */
  const dirty = new Set<string>();
  let nextLookMs = rescanMs;
  let wake = () => {};
  let turn: Promise<unknown> = Promise.resolve();
  let projecting: Promise<void> | undefined;

  for (const { resource, name, object } of options.initialObjects) {
    if (object !== undefined && resourceOf(resource)?.file !== undefined) dirty.add(objectId(resource, name));
  }
  const unsubscribe = admission.subscribe((changes) => {
    for (const { resource, name } of changes) {
      const id = objectId(resource, name);
      if (owners.has(id) || resourceOf(resource)?.file !== undefined) dirty.add(id);
    }
    projectSoon();
  });
  await inTurn(async () => {
    await settleProjections();
    assignOwners(new Map());
    await look();
    for (const id of owners.keys()) dirty.add(id);
    await projectDirty();
  });

  return {
    rescan: () => inTurn(look),
    async settled() {
      await projecting;
      await turn;
    },
    acceptDeletions: () =>
      inTurn(async () => {
        await look();
        return deleteMissing([...records.missing.keys()]);
      }),
    async run(signal) {
      const stop = await options.watch?.(root, () => wake());
      try {
        while (!signal.aborted) {
          const woken = new Promise<void>((resolve) => {
            wake = resolve;
          });
          await inTurn(look).catch((error: unknown) => {
            // The registry refuses only when its storage failed: the end. A folder may be readable again later.
            if (error instanceof StatusError) throw error;
            unreadable(error);
          });
          const sleep = new AbortController();
          const slept = clock.sleep(nextLookMs, AbortSignal.any([signal, sleep.signal])).catch(() => {
            // Aborted: woken, or the end.
          });
          await Promise.race([woken, slept]);
          sleep.abort();
        }
      } finally {
        await stop?.();
      }
    },
    async close() {
      unsubscribe();
      await projecting;
      await turn;
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

  function resourceOf(resource: string): ResourceInfo | undefined {
    return resources.find((known) => known.resource === resource);
  }

  function objectsIn(path: string, text: string): FileObjects {
    const known = parsedTexts.get(path);
    if (known?.text === text) return known.objects;
    const objects = readFileObjects(text, resources);
    parsedTexts.set(path, { text, objects });
    return objects;
  }

  /** The text and the records are one transaction with the edits. */
  async function transact(edits: readonly Edit[], files: readonly FileText[]) {
    const result = await admission.transact(edits, files);
    if (result.admitted) records.apply(files);
    return result;
  }

  // From files to objects

  async function look(): Promise<void> {
    nextLookMs = rescanMs;
    const content = await folder.read(records.texts);
    if (content === undefined) return;
    toldFailed.delete("");

    /** Of files that changed and are whole: what they declare now. */
    const edited = new Map<string, { text: string; objects: readonly FileObject[] }>();
    for (const path of refused.keys()) if (!content.files.has(path)) refused.delete(path);
    for (const [path, message] of content.unreadable) {
      if (refused.get(path) !== message) refuse(path, message, [{ object: undefined, line: 1, message }]);
    }
    for (const [path, text] of content.files) {
      if (content.unreadable.has(path)) continue;
      if (text === undefined) nextLookMs = Math.min(nextLookMs, changingMs);
      else if (text === records.texts.get(path)) refused.delete(path);
      else if (refused.get(path) !== text) {
        const read = objectsIn(path, text);
        if (read.valid) edited.set(path, { text, objects: read.objects });
        else
          refuse(
            path,
            text,
            read.problems.map((problem) => ({ ...problem, object: undefined })),
          );
      }
    }
    const gone = [...records.texts.keys()].filter((path) => !content.files.has(path));
    const before = new Map([...owners].map(([id, { path, value }]) => [id, { path, value }]));
    assignOwners(edited, gone);
    // An object that is left to a second file that declared it all along: that file counts from now on.
    for (const [id, { path }] of owners) {
      const text = records.texts.get(path);
      const last = before.get(id);
      if (text === undefined || last === undefined || last.path === path || edited.has(path)) continue;
      const read = objectsIn(path, text);
      if (read.valid) edited.set(path, { text, objects: read.objects });
    }
    // Each is admitted in its turn, then all are synced together.
    await Promise.all([...edited].map(([path, { text, objects }]) => takeEdit(path, text, objects, before)));
    if (gone.length > 0)
      await transact(
        [],
        gone.map((path) => ({ path, text: undefined })),
      );
    assignOwners(new Map());
    await recordMissing(before);
    // A file that can't be read as objects may be where a missing one went.
    const isWhole = [...content.files.values()].every((text) => text !== undefined) && refused.size === 0;
    await decideDeletions(isWhole);
    await projectDirty();
  }

  function unreadable(error: unknown): void {
    const message = `The folder can't be read: ${error instanceof Error ? error.message : String(error)}`;
    if (toldFailed.get("") === message) return;
    toldFailed.set("", message);
    report({ object: undefined, type: "Warning", reason: reportReasons.invalidFile, message });
  }

  /** Finds each object's file; one that has it already keeps it. */
  function assignOwners(
    edited: ReadonlyMap<string, { objects: readonly FileObject[] }>,
    gone: readonly string[] = [],
  ): void {
    const candidates = new Map<string, (FileObject & { path: string })[]>();
    for (const path of [...new Set([...records.texts.keys(), ...edited.keys()])].sort()) {
      if (gone.includes(path)) continue;
      const read = objectsIn(path, records.texts.get(path) ?? "");
      const objects = edited.get(path)?.objects ?? (read.valid ? read.objects : []);
      for (const object of objects) {
        candidates.set(object.id, [...(candidates.get(object.id) ?? []), { ...object, path }]);
      }
    }
    const previous = new Map(owners);
    owners.clear();
    for (const [id, found] of candidates) {
      const owner =
        found.find(({ path }) => path === previous.get(id)?.path) ?? found.find(inForce) ?? found[0];
      if (owner === undefined) continue;
      owners.set(id, owner);
      for (const other of found) if (other !== owner) tellDuplicate(other, owner);
    }
    for (const id of toldDuplicates.keys())
      if ((candidates.get(id)?.length ?? 0) < 2) toldDuplicates.delete(id);
  }

  /** Whether the object is as this document says: after a restart that tells which of two files it came from. */
  function inForce({ resource, key, value }: FileObject): boolean {
    const current = admission.newest(resource.resource, key);
    try {
      return (
        current !== undefined &&
        sameJson(projectOnto(value, current, admission.meaning.bind(admission)), value)
      );
    } catch (error) {
      if (error instanceof StatusError) return false;
      throw error;
    }
  }

  async function takeEdit(
    path: string,
    text: string,
    objects: readonly FileObject[],
    before: ReadonlyMap<string, { value: JsonMap }>,
  ): Promise<void> {
    const own = objects.filter(
      ({ id, index }) => owners.get(id)?.path === path && owners.get(id)?.index === index,
    );
    const { edits, problems, undone } = personEdits(
      own,
      (id) => before.get(id)?.value ?? records.missing.get(id)?.value,
      (id) => writtenBefore(path, id),
      admission,
    );
    if (problems.length > 0)
      return refuse(
        path,
        text,
        problems.map((problem) => located(problem)),
      );
    const found = own.filter(({ id }) => records.missing.has(id));
    const result = await transact(
      edits.map(({ edit }) => edit),
      [
        { path, text },
        ...found.map(({ id }) => missingRecord(id, undefined)),
        ...(records.projecting.has(path) ? [projectingRecord(path, undefined)] : []),
      ],
    );
    if (!result.admitted) {
      const refusals = result.errors.flatMap(({ edit, error }) => {
        const object = edits.find((each) => each.edit === edit)?.object;
        return object === undefined ? [] : statusProblems(object, error).map(located);
      });
      return refuse(path, text, refusals);
    }
    refused.delete(path);
    for (const { id } of own) dirty.add(id);
    for (const { object, path: field, value } of undone) {
      report({
        object: reportedObject(object),
        type: "Warning",
        reason: reportReasons.editOverrode,
        message:
          `${path}:${object.line(field)}: your edit of ${pathString(field)} replaced ${JSON.stringify(value ?? null)}, ` +
          "which was set through the API after the file was last written.",
      });
    }
  }

  /** What a crash may have left in the file is not the person's doing. */
  function writtenBefore(path: string, id: string): JsonMap | undefined {
    const text = records.projecting.get(path);
    const read = text === undefined ? undefined : readFileObjects(text, resources);
    return read?.valid ? read.objects.find((object) => object.id === id)?.value : undefined;
  }

  function located({ object, path, message }: EditProblem) {
    return { object, line: object.line(path), message };
  }

  function refuse(
    path: string,
    text: string,
    problems: readonly { object: FileObject | undefined; line: number; message: string }[],
  ): void {
    refused.set(path, text);
    for (const { object, line, message } of problems) {
      report({
        object: object === undefined ? undefined : reportedObject(object),
        type: "Warning",
        reason: object === undefined ? reportReasons.invalidFile : reportReasons.editRejected,
        message: `${path}:${line}: ${message.replace(/\.?$/, ".")} Nothing of this edit was taken; what the file last said stays in force.`,
      });
    }
  }

  function tellDuplicate(other: FileObject & { path: string }, owner: { path: string }): void {
    const message =
      `${other.path}:${other.line([])}: ${other.resource.kind} ${other.key.name} is declared in ${owner.path} ` +
      "already, which stays in force. Remove one of the two.";
    if (toldDuplicates.get(other.id) === message) return;
    toldDuplicates.set(other.id, message);
    const object = reportedObject(other);
    report({ object, type: "Warning", reason: reportReasons.duplicateObject, message });
  }

  // Deletions

  async function recordMissing(before: ReadonlyMap<string, { path: string; value: JsonMap }>): Promise<void> {
    const lost = [...before].filter(([id]) => !owners.has(id) && !records.missing.has(id) && exists(id));
    const over = [...records.missing.keys()].filter((id) => owners.has(id) || !exists(id));
    if (lost.length + over.length === 0) return;
    await transact(
      [],
      [
        ...lost.map(([id, missing]) => missingRecord(id, missing)),
        ...over.map((id) => missingRecord(id, undefined)),
      ],
    );
  }

  async function decideDeletions(isWhole: boolean): Promise<void> {
    const missing = [...records.missing.keys()];
    const total = owners.size + missing.length;
    const verdict = guard.look({ missing, total, head: await head(), elapsed: clock.elapsed() });
    if (verdict.nextMs !== undefined) nextLookMs = Math.min(nextLookMs, verdict.nextMs);
    for (const id of toldHeld) if (!records.missing.has(id)) toldHeld.delete(id);
    for (const { id, why } of verdict.held) {
      if (toldHeld.has(id)) continue;
      toldHeld.add(id);
      const { resource, key } = addressOf(id);
      report({
        object: reportedObject({ resource, key }),
        type: "Warning",
        reason: reportReasons.deletionHeld,
        message:
          `${resource.kind} ${key.name} is gone from ${records.missing.get(id)?.path} but was kept: ${why}. Put it back, ` +
          "or run `bosun accept-deletions`.",
      });
    }
    if (isWhole) await deleteMissing(verdict.delete);
  }

  async function deleteMissing(ids: readonly string[]): Promise<ObjectKey[]> {
    const deleted: ObjectKey[] = [];
    for (const id of ids) {
      const { resource, key } = addressOf(id);
      const edits: Edit[] = exists(id) ? [{ verb: "delete", resource: resource.resource, key }] : [];
      const result = await transact(edits, [missingRecord(id, undefined)]);
      if (result.admitted) {
        deleted.push(key);
        continue;
      }
      const why = result.errors.map(({ error }) => error.message).join(" ");
      const message = `${resource.kind} ${key.name} is gone from its file but can't be deleted: ${why}`;
      report({
        object: reportedObject({ resource, key }),
        type: "Warning",
        reason: reportReasons.deletionHeld,
        message,
      });
    }
    return deleted;
  }

  function addressOf(id: string): { resource: ResourceInfo; key: ObjectKey } {
    const at = id.lastIndexOf("/");
    const resource = resourceOf(id.slice(0, at)) ?? {
      resource: id.slice(0, at),
      apiVersion: "",
      kind: id.slice(0, at),
      file: undefined,
    };
    return { resource, key: { namespace: "default", name: id.slice(at + 1) } };
  }

  function objectOf(id: string): KubeObject | undefined {
    const { resource, key } = addressOf(id);
    return admission.newest(resource.resource, key);
  }

  function exists(id: string): boolean {
    return objectOf(id) !== undefined;
  }

  // From objects to files

  function projectSoon(): void {
    if (dirty.size === 0) return;
    projecting ??= inTurn(() => {
      projecting = undefined;
      return projectDirty();
    }).catch((error: unknown) => failed(undefined, "The folder", error));
  }

  async function projectDirty(): Promise<void> {
    const byPath = new Map<string, string[]>();
    for (const id of dirty) {
      const path = pathFor(id);
      if (path === undefined) dirty.delete(id);
      else byPath.set(path, [...(byPath.get(path) ?? []), id]);
    }
    for (const [path, ids] of byPath) {
      try {
        await projectFile(path, ids);
      } catch (error) {
        failed(ids[0], path, error);
      }
    }
  }

  /** The file that an object lives in, or should; undefined for one that lives in the log alone. */
  function pathFor(id: string): string | undefined {
    const owner = owners.get(id);
    if (owner !== undefined) return owner.path;
    const object = objectOf(id);
    if (object === undefined || object.metadata.deletionTimestamp !== undefined || records.missing.has(id))
      return undefined;
    return addressOf(id).resource.file?.replaceAll("{name}", object.metadata.name);
  }

  async function projectFile(path: string, ids: readonly string[]): Promise<void> {
    const last = records.texts.get(path);
    // An edit comes first; one that was refused waits for its author.
    if ((await folder.readFile(path)) !== last) {
      if (!refused.has(path)) wake();
      return;
    }
    let text = last ?? "";
    const done: string[] = [];
    for (const id of ids) {
      try {
        text = withObject(path, text, id);
        done.push(id);
      } catch (error) {
        if (!(error instanceof SpliceError) && !(error instanceof StatusError)) throw error;
        failed(id, path, error);
        dirty.delete(id);
      }
    }
    const written = text === (last ?? "") || (await write(path, last, text));
    if (!written) return wake();
    for (const id of done) {
      dirty.delete(id);
      toldFailed.delete(id);
    }
    assignOwners(new Map());
    // A second file declares what was deleted: its document goes too.
    for (const id of done) if (owners.has(id) && !exists(id)) dirty.add(id);
  }

  /** `text` with the object as it is now: changed in place, added, or taken out. */
  function withObject(path: string, text: string, id: string): string {
    const read = objectsIn(path, text);
    if (!read.valid) throw new SpliceError(`line ${read.problems[0]?.line}: ${read.problems[0]?.message}`);
    const declared = read.objects.filter((object) => object.id === id);
    const owner = owners.get(id);
    const found = declared.find(({ index }) => index === owner?.index) ?? declared[0];
    const object = objectOf(id);
    const meaning = admission.meaning.bind(admission);
    if (found === undefined)
      return object === undefined ? text : appendDocument(text, newDocument(object, meaning));
    if (object === undefined) return removeDocument(text, found.index);
    return splice(text, found.index, projectOnto(found.value, object, meaning));
  }

  /** Says in the log what it is about to write, so that after a crash the text isn't taken for a person's. */
  async function write(path: string, last: string | undefined, text: string): Promise<boolean> {
    // A link stays a link: what it points to is replaced.
    const target = await fs.realPath(join(root, path));
    const isUntouched = async () => (await folder.readFile(path)) === last;
    if (text.trim() === "") {
      // Until what was admitted is synced, the file must stay.
      await transact([], []);
      if (!(await isUntouched())) return false;
      await fs.remove(join(root, path));
      await fs.syncDirectory(dirname(join(root, path)));
      await transact([], [{ path, text: undefined }]);
      return true;
    }
    await transact([], [projectingRecord(path, text)]);
    await fs.makeDirectory(dirname(target), newDirectoryMode);
    const mode = (await fs.stat(target))?.mode ?? newFileMode;
    const replaced = await replaceFile(fs, target, [Buffer.from(text)], mode, isUntouched);
    await transact([], [...(replaced ? [{ path, text }] : []), projectingRecord(path, undefined)]);
    return replaced;
  }

  /** After a crash: a text that was about to be written is in its file, or it isn't. */
  async function settleProjections(): Promise<void> {
    for (const [path, text] of [...records.projecting]) {
      const found = await folder.readFile(path);
      const files = [projectingRecord(path, undefined)];
      if (found === text) files.push({ path, text });
      else if (found !== records.texts.get(path)) continue;
      await transact([], files);
    }
  }

  function failed(id: string | undefined, path: string, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    const message = `${path}: a change made through the API can't be written to the file: ${why}`;
    if (toldFailed.get(id ?? path) === message) return;
    toldFailed.set(id ?? path, message);
    const object = id === undefined ? undefined : reportedObject(addressOf(id));
    report({ object, type: "Warning", reason: reportReasons.projectionFailed, message });
  }
}
