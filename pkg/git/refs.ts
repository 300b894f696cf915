import { existsSync, lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TerminalError, TransientError } from "../runtime/errors.ts";
import { type Git, type GitPlace, gitFailed } from "./git.ts";
import { transaction } from "./ref-writer.ts";

/** How long git waits for a ref that another transaction holds; each holds one for milliseconds. */
const lockTimeoutMs = 2_000;
/** A larger list of packed refs git reads faster. */
const packedBytesMax = 262_144;

/** One move in a transaction. `from: undefined` means the ref must not exist; `to: undefined` deletes it. */
export type RefChange =
  | { do: "verify"; ref: string; is: string | undefined }
  | { do: "move"; ref: string; from: string | undefined; to: string | undefined };

/** The object a ref points at, or undefined. */
export async function readRef(git: Git, place: GitPlace, ref: string): Promise<string | undefined> {
  const known = await git.reader(place).id(ref);
  // Without an id either the ref is not there, which its files say, or what it points at can't be read.
  if (known !== undefined || isInNoFile(place.gitDirectory, ref)) return known;
  const output = await git.run(place, ["for-each-ref", "--format=%(objectname) %(refname)", ref]);
  if (output.exitCode !== 0) throw gitFailed(["for-each-ref", ref], output);
  for (const line of output.stdout.toString("utf8").split("\n")) {
    const [id, name] = line.split(" ");
    if (name === ref) return id;
  }
  return undefined;
}

/** Whether a ref certainly is not there. Only git can tell where refs lie in a format other than files. */
function isInNoFile(gitDirectory: string, ref: string): boolean {
  if (existsSync(join(gitDirectory, "reftable"))) return false;
  try {
    // In this order: a ref is packed before its file is removed.
    if (lstatSync(join(gitDirectory, ref), { throwIfNoEntry: false }) !== undefined) return false;
    const packed = join(gitDirectory, "packed-refs");
    const { size } = lstatSync(packed, { throwIfNoEntry: false }) ?? { size: 0 };
    if (size === 0) return true;
    return size <= packedBytesMax && !readFileSync(packed, "latin1").includes(` ${ref}\n`);
  } catch {
    // Something is odd here: git says what.
    return false;
  }
}

/**
 * Makes all changes or none, and none when the place's guard is not where it was.
 *
 * @param changes - none: only the guard is verified
 * @returns false when a ref was not where it had to be; nothing was moved then
 * @throws TerminalError TakenOver when it was the guard
 * @throws TransientError RefBusy when another process holds a ref's lock
 * @throws TransientError GitFailed when git refuses for another reason
 */
export async function changeRefs(
  git: Git,
  place: GitPlace,
  changes: readonly RefChange[],
  reason: string,
): Promise<boolean> {
  const { guard } = place;
  if (guard === undefined) return transact(git, place, changes, reason);
  const { ref, is, serial } = guard;
  const guarded: readonly RefChange[] = [{ do: "verify", ref, is }, ...changes];
  return serial.run(ref, async () => {
    if (await transact(git, place, guarded, reason)) return true;
    if ((await readRef(git, place, ref)) !== is) throw takenOver(ref);
    return false;
  });
}

/** The refusal of any move, where `ref` has a greater term than this operator's. */
export function takenOver(ref: string): TerminalError {
  return new TerminalError(
    "TakenOver",
    `${ref} names a later operator of this repository: this one is none any more. Nothing was moved.`,
  );
}

async function transact(
  git: Git,
  place: GitPlace,
  changes: readonly RefChange[],
  reason: string,
): Promise<boolean> {
  const zero = "0".repeat(40);
  const lines = changes.map((change) => {
    if (change.do === "verify") return `verify ${change.ref} ${change.is ?? zero}`;
    if (change.to === undefined) return `delete ${change.ref} ${change.from ?? ""}`.trimEnd();
    return `update ${change.ref} ${change.to} ${change.from ?? zero}`;
  });
  const command = ["-c", `core.filesRefLockTimeout=${lockTimeoutMs}`, "update-ref", "--no-deref", "--stdin"];
  const env = { GIT_COMMITTER_NAME: "Bosun", GIT_COMMITTER_EMAIL: "bosun@localhost" };
  // Of what has a reflog each move has a process of its own: that says why and when it moved.
  const isOwn = changes.every(({ do: what, ref }) => what === "verify" || ref.startsWith("refs/bosun/"));
  const writer = isOwn ? git.refWriter(place, [...command, "-m", "bosun"], env) : undefined;
  const output =
    writer === undefined
      ? await git.run(place, [...command, "-m", `bosun: ${reason}`], { stdin: transaction(lines), env })
      : await writer.transact(lines);
  if (output.exitCode === 0) return true;
  const { stderr: said } = output;
  if (/but expected|reference already exists|unable to resolve reference|is missing/.test(said)) return false;
  if (/\.lock': File exists/.test(said)) {
    throw new TransientError("RefBusy", `A ref is locked: ${said.trim()} If no git runs, delete that file.`);
  }
  throw gitFailed(["update-ref", "--stdin"], output);
}
