/** Promise 3: one owner. One host a claim, a project and an agent, and no branch takes in what an older claim wrote. */
import type { GitClaim } from "../../../pkg/git/repository.ts";
import type { Host } from "../world/sessions.ts";
import type { World } from "../world.ts";
import { promise } from "./promise.ts";

const hold = promise(3, "one owner");

/** A host was started. */
export function oneHost({ spec }: Host, { sessions }: Pick<World, "sessions">): void {
  for (const other of sessions.hosts()) {
    if (other.spec.id === spec.id) continue;
    hold(
      other.spec.agent !== spec.agent,
      () => `${spec.agent} has two hosts: ${other.spec.id} and ${spec.id}`,
    );
    if (spec.purpose === "execute" && other.spec.purpose === "execute")
      hold(
        other.spec.claim.uid !== spec.claim.uid,
        () => `${spec.project} is worked on by ${other.spec.agent} and by ${spec.agent}`,
      );
  }
}

/** A branch was moved for `claim`: it holds nothing that an older claim than its own wrote after it was let go. */
export function collected(
  claim: GitClaim,
  { branch, head }: { branch: string; head: string },
  { api, repository }: Pick<World, "api" | "repository">,
): void {
  const newest = api.object("Project", claim.project)?.status?.claimNumber ?? 0;
  const written = repository.objects.get(head).claim;
  hold(
    written === undefined || written.project !== claim.project || written.number <= claim.number,
    () => `${branch} took in what claim ${written?.number} wrote, at claim ${claim.number}`,
  );
  hold(claim.number <= newest, () => `claim ${claim.number} of ${claim.project} was never made`);
}

/**
 * An operator of a cluster begins something that only the elected one may do: the Lease is its own then, as the server
 * has it, whatever its caches say.
 */
export function actedElected(identity: string | undefined, holder: string | undefined): void {
  hold(identity === holder, () => `${identity} acted while ${holder ?? "nobody"} was elected`);
}
