/** From objects to files: what the API changed is spliced into the file that declares the object. */
import { dirname, join } from "node:path";
import { sameJson } from "../../api/same-json.ts";
import { StatusError } from "../../api/status-error.ts";
import { replaceFile, temporaryPath } from "../replace-file.ts";
import type { FilesState } from "./files-state.ts";
import { newDocument, projectOnto } from "./projection.ts";
import { projectingRecord } from "./records.ts";
import { reportedObject, reportReasons } from "./report.ts";
import { appendDocument, removeDocument, SpliceError, splice } from "./splice.ts";

const newFileMode = 0o644;
const newDirectoryMode = 0o755;

export interface FileProjection {
  /** After a crash: a text that was about to be written is in its file, or it isn't. */
  settle(): Promise<void>;
  /** Writes every dirty object's file, where that has no edit that must be taken first. */
  project(): Promise<void>;
  /** Tells that the file at `path` lags behind the object, once. */
  failed(id: string | undefined, path: string, error: unknown): void;
}

/**
 * @param assignOwners - called when a file declares other objects than before
 * @param wake - called when a file holds an edit that must be taken first
 */
export function fileProjection(
  state: FilesState,
  assignOwners: () => void,
  wake: () => void,
): FileProjection {
  const { root, fs, folder, records, owners, dirty, admission } = state;
  const meaning = admission.meaning.bind(admission);
  const told = new Map<string, string>();

  return {
    async settle() {
      for (const [path, text] of [...records.projecting]) {
        const target = await fs.realPath(join(root, path));
        await fs.remove(temporaryPath(target));
        const found = await folder.readFile(path);
        // What is seen may not be on the disk yet, and is recorded as being there.
        if (found !== undefined) await fs.syncDirectory(dirname(target));
        const files = [projectingRecord(path, undefined)];
        if (found === text) files.push({ path, text });
        // Another text is a person's edit: what of it was about to be written is told apart when it is taken.
        else if (found !== records.texts.get(path)) continue;
        await state.transact([], files);
      }
    },

    async project() {
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
    },

    failed,
  };

  /** The file that an object lives in, or should; undefined for one that lives in the log alone. */
  function pathFor(id: string): string | undefined {
    const owner = owners.get(id);
    if (owner !== undefined) return owner.path;
    const object = state.objectOf(id);
    const isGoing = object?.metadata.deletionTimestamp !== undefined || state.missingOf(id) !== undefined;
    if (object === undefined || isGoing) return undefined;
    return state.addressOf(id).resource.file?.replaceAll("{name}", object.metadata.name);
  }

  async function projectFile(path: string, ids: readonly string[]): Promise<void> {
    // One with an edit that was refused, or that can't be read, waits for a person, who was told.
    if (state.refused.has(path)) return;
    const last = records.texts.get(path);
    // An edit comes first.
    if ((await folder.readFile(path)) !== last) return wake();
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
    const isSame = text === (last ?? "");
    const isWritten = isSame || (await write(path, last, text));
    if (!isWritten) return wake();
    for (const id of done) {
      dirty.delete(id);
      told.delete(id);
    }
    if (!isSame) assignOwners();
    // A second file declares what was deleted: its document goes too.
    for (const id of done) if (owners.has(id) && state.objectOf(id) === undefined) dirty.add(id);
  }

  /** `text` with the object as it is now: changed in place, added, or taken out. */
  function withObject(path: string, text: string, id: string): string {
    const read = state.objectsIn(path, text);
    if (!read.valid) throw new SpliceError(`line ${read.problems[0]?.line}: ${read.problems[0]?.message}`);
    const declared = read.objects.filter((object) => object.id === id);
    const found = declared.find(({ index }) => index === owners.get(id)?.index) ?? declared[0];
    const object = state.objectOf(id);
    if (found === undefined)
      return object === undefined ? text : appendDocument(text, newDocument(object, meaning), state.readYaml);
    if (object === undefined) return removeDocument(text, found.index, state.readYaml);
    const wanted = projectOnto(found.value, object, meaning);
    // Most of the time nothing is to be said, and reading all of the file for each object that it declares takes long.
    return sameJson(found.value, wanted) ? text : splice(text, found.index, wanted, state.readYaml);
  }

  /** False: a person was faster, and nothing was written. */
  async function write(path: string, last: string | undefined, text: string): Promise<boolean> {
    if (text.trim() === "") {
      // Until what was admitted is synced, the file must stay.
      await state.transact([], []);
      if (!(await fs.replaceUnchanged(join(root, path), last, undefined))) return false;
      await fs.syncDirectory(dirname(join(root, path)));
      await state.transact([], [{ path, text: undefined }]);
      return true;
    }
    // Said in the log before it is done, so that after a crash the text isn't taken for a person's.
    await state.transact([], [projectingRecord(path, text)]);
    // A link stays a link: what it points to is replaced.
    const target = await fs.realPath(join(root, path));
    await fs.makeDirectory(dirname(target), newDirectoryMode);
    const mode = (await fs.stat(target))?.mode ?? newFileMode;
    const isReplaced = await replaceFile(fs, target, [Buffer.from(text)], mode, { over: last });
    await state.transact([], [...(isReplaced ? [{ path, text }] : []), projectingRecord(path, undefined)]);
    return isReplaced;
  }

  function failed(id: string | undefined, path: string, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    const message = `${path}: a change made through the API can't be written to the file: ${why}`;
    if (told.get(id ?? path) === message) return;
    told.set(id ?? path, message);
    const object = id === undefined ? undefined : reportedObject(state.addressOf(id));
    state.report({ object, type: "Warning", reason: reportReasons.projectionFailed, message });
  }
}
