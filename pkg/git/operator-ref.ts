import { TransientError } from "../runtime/errors.ts";
import type { Git, GitPlace, RefGuard } from "./git.ts";
import { changeRefs, readRef, takenOver } from "./refs.ts";
import { Serial } from "./serial.ts";

/** Names the operator that may move refs: a blob with its term. */
const operatorRef = "refs/bosun/operator";

/**
 * Writes this operator's term into the repository. Every transaction that verifies the ref fails from then on when it
 * is an earlier operator's, whatever that one had looked at before.
 *
 * @throws TerminalError TakenOver when the ref names a later operator
 */
export async function takeRefs(git: Git, repository: GitPlace, term: number): Promise<RefGuard> {
  const blob = await git.text(repository, ["hash-object", "-w", "--stdin"], {
    stdin: `${JSON.stringify({ term })}\n`,
  });
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const id = await readRef(git, repository, operatorRef);
    if (id === blob) return { ref: operatorRef, is: blob, serial: new Serial() };
    const found = id === undefined ? 0 : termIn(await git.text(repository, ["cat-file", "blob", id]));
    if (found > term) throw takenOver(operatorRef);
    const change = { do: "move", ref: operatorRef, from: id, to: blob } as const;
    await changeRefs(git, repository, [change], `operator of term ${term}`);
  }
  throw new TransientError("RefBusy", `${operatorRef} kept changing while it was taken.`);
}

/** Whether an operator has worked in this repository, wherever it lay then. */
export async function hasOperatorRef(git: Git, repository: GitPlace): Promise<boolean> {
  return (await readRef(git, repository, operatorRef)) !== undefined;
}

/** 0 for a blob that holds none: it names nobody, and the lock says who the operator is. */
function termIn(text: string): number {
  try {
    const { term } = JSON.parse(text) as { term?: unknown };
    return typeof term === "number" && Number.isSafeInteger(term) ? term : 0;
  } catch {
    // Not JSON: no operator wrote it.
    return 0;
  }
}
