/** A snapshot: a log's state in one file, so that what came before it need not be read again. */
import { join } from "node:path";
import { writeJson } from "../../encoding/json.ts";
import { TerminalError } from "../../runtime/errors.ts";
import type { FileSystem } from "../file-system.ts";
import { replaceFile } from "../replace-file.ts";
import type { Change, FileText } from "../storage.ts";
import { encodeFrame, type ReadPayload, scanFrames } from "./frame.ts";
import { fileMode, snapshotName } from "./log-files.ts";
import { emptyState, type LogState, linesOf, putFile, putObject, type ReadState } from "./state.ts";

/** Objects in one frame: few enough that making a frame does not hold up the process. */
const objectsPerFrame = 200;

interface Part {
  changes: readonly Change[];
  files: readonly FileText[];
}

/** Writes `state` as the snapshot that stands before segment `sequence`. Returns its size in bytes. */
export async function writeSnapshot(
  fs: FileSystem,
  directory: string,
  { sequence, epoch, state }: { sequence: number; epoch: number; state: LogState },
): Promise<number> {
  let size = 0;
  function* content(): Generator<Buffer> {
    for (const payload of parts(state)) {
      const bytes = encodeFrame({ type: "snapshotPart", epoch, revision: state.revision, payload });
      size += bytes.length;
      yield bytes;
    }
    const end = JSON.stringify({ objects: state.objects.size, files: state.files.size });
    yield encodeFrame({ type: "snapshotEnd", epoch, revision: state.revision, payload: end });
  }
  await replaceFile(fs, join(directory, snapshotName(sequence)), content(), fileMode);
  return size;
}

/** @throws TerminalError when the snapshot is missing, damaged or not whole */
export async function readSnapshot(
  fs: FileSystem,
  directory: string,
  sequence: number,
  read: ReadPayload,
): Promise<{ state: ReadState; epoch: number; size: number }> {
  const path = join(directory, snapshotName(sequence));
  const bytes = await fs.read(path);
  if (bytes === undefined) throw damagedSnapshot(path, 0, "the file is gone");
  const { frames, size, damage } = scanFrames(bytes);
  if (damage !== undefined) throw damagedSnapshot(path, size, damage);
  const end = frames.at(-1);
  if (end?.type !== "snapshotEnd") throw damagedSnapshot(path, size, "its last frame is missing");

  const state: ReadState = emptyState();
  for (const frame of frames.slice(0, -1)) {
    const part = read(frame.payload) as Part;
    for (const change of part.changes) putObject(state, change, change);
    for (const file of part.files) putFile(state, file);
  }
  state.revision = end.revision;
  const counts = JSON.stringify({ objects: state.objects.size, files: state.files.size });
  if (counts !== end.payload)
    throw damagedSnapshot(path, size, `it holds ${counts} and should hold ${end.payload}`);
  return { state, epoch: end.epoch, size };
}

function* parts(state: LogState): Generator<string> {
  const objects = [...state.objects.values()];
  for (let at = 0; at < objects.length; at += objectsPerFrame) {
    const changes = objects.slice(at, at + objectsPerFrame).map(textOf);
    yield `{"changes":${linesOf(changes)},"files":[]}`;
  }
  const files = [...state.files].map(([path, text]) => ({ path, text }));
  yield `{"changes":[],"files":${JSON.stringify(files)}}`;
}

/** Made once for all snapshots that a change of an earlier life lives to see. */
function textOf(change: string | Change): string {
  if (typeof change === "string") return change;
  let text = texts.get(change);
  if (text === undefined) {
    text = writeJson(change);
    texts.set(change, text);
  }
  return text;
}

const texts = new WeakMap<Change, string>();

function damagedSnapshot(path: string, offset: number, why: string): TerminalError {
  return new TerminalError(
    "StorageDamaged",
    `The snapshot ${path} is damaged at byte ${offset}: ${why}. Nothing was changed. Restore the folder it is in ` +
      "from a backup; without one, move that folder aside: objects are then read anew from your YAML files, and " +
      "what lived in the log alone (Agents, Reviews, status) starts over.",
  );
}
