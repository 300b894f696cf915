import { TerminalError, TransientError } from "../runtime/errors.ts";
import type { Git, GitPlace } from "./git.ts";
import { claimRef } from "./layout.ts";
import { changeRefs, type RefChange, readRef } from "./refs.ts";
import type { GitClaim } from "./repository.ts";

interface RecordedClaim {
  /** Blob the claim's ref points at. */
  id: string;
  number: number;
  agent: string;
}

/** The claims as refs of the user's repository: what fences every move that is made for a claim. */
export class Claims {
  readonly #git: Git;
  readonly #repository: GitPlace;

  constructor(git: Git, repository: GitPlace) {
    this.#git = git;
    this.#repository = repository;
  }

  /** @throws TerminalError StaleClaim when the ref holds a higher number */
  async record(claim: GitClaim): Promise<void> {
    // Only another operator writes the same ref at the same moment, so a lost race is looked at again at once.
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const recorded = await this.read(claim.project);
      if (recorded !== undefined) {
        if (recorded.number === claim.number && recorded.agent === claim.agent) return;
        if (recorded.number >= claim.number) throw stale(claim, recorded);
      }
      const text = `${JSON.stringify({ project: claim.project, number: claim.number, agent: claim.agent })}\n`;
      const blob = await this.#git.text(this.#repository, ["hash-object", "-w", "--stdin"], { stdin: text });
      const ref = claimRef(claim.project);
      const change: RefChange = { do: "move", ref, from: recorded?.id, to: blob };
      if (await changeRefs(this.#git, this.#repository, [change], `claim ${claim.number}`)) return;
    }
    throw new TransientError(
      "ClaimContended",
      `The claim of ${claim.project} kept changing while it was recorded.`,
    );
  }

  async read(project: string): Promise<RecordedClaim | undefined> {
    const id = await readRef(this.#git, this.#repository, claimRef(project));
    if (id === undefined) return undefined;
    const found = await this.#git.reader(this.#repository).object(id);
    const text =
      found?.type === "blob"
        ? found.content.toString("utf8")
        : await this.#git.text(this.#repository, ["cat-file", "blob", id]);
    return { id, ...parseClaim(project, text) };
  }

  /**
   * The change that makes a transaction fail once the claim is no longer the current one.
   *
   * @throws TerminalError StaleClaim when it is not now
   * @throws TransientError ClaimNotRecorded when the ref does not know the claim yet
   */
  async fence(claim: GitClaim): Promise<RefChange> {
    const recorded = await this.read(claim.project);
    if (recorded === undefined || recorded.number < claim.number) {
      throw new TransientError(
        "ClaimNotRecorded",
        `Claim ${claim.number} of ${claim.project} is not in ${claimRef(claim.project)} yet.`,
      );
    }
    if (recorded.number !== claim.number || recorded.agent !== claim.agent) throw stale(claim, recorded);
    return { do: "verify", ref: claimRef(claim.project), is: recorded.id };
  }
}

/** The refusal of a move for `claim`, where `recorded` is the one in force. */
export function stale(claim: GitClaim, recorded: { number: number; agent: string }): TerminalError {
  return new TerminalError(
    "StaleClaim",
    `Claim ${claim.number} of ${claim.project} by ${claim.agent} is no longer the current one: ` +
      `${recorded.agent} holds claim ${recorded.number}. Nothing was moved.`,
  );
}

function parseClaim(project: string, text: string): { number: number; agent: string } {
  const damaged = `${claimRef(project)} holds no claim. Delete it with \`git update-ref -d\` to claim again.`;
  try {
    const { number, agent } = JSON.parse(text) as { number?: unknown; agent?: unknown };
    if (typeof number === "number" && Number.isSafeInteger(number) && typeof agent === "string") {
      return { number, agent };
    }
  } catch (cause) {
    throw new TerminalError("ClaimDamaged", damaged, { cause });
  }
  throw new TerminalError("ClaimDamaged", damaged);
}
