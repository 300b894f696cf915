/** Promise 7: resume, not restart. A claim goes on in its session, with its work, and pays for one turn again at most. */
import { getCondition } from "../../../pkg/api/conditions.ts";
import type { Project, ProjectClaim } from "../../../pkg/api/generated.ts";
import type { Line } from "../../../pkg/gateway/ledger-lines.ts";
import type { Host } from "../world/sessions.ts";
import type { World } from "../world.ts";
import { promise } from "./promise.ts";

const hold = promise(7, "resume, not restart");

export class Resumes {
  /** By purpose, object and claim number. */
  readonly #sessions = new Map<string, string>();
  /** By host: the turn that another had paid for when this one asked. */
  readonly #again = new Map<string, number>();

  /** A host was started: a claim has one session, however often its host ends. */
  started({ spec }: Host): void {
    const key = `${spec.purpose} ${spec.claim.uid} ${spec.claim.number}`;
    const before = this.#sessions.get(key) ?? spec.id;
    this.#sessions.set(key, spec.id);
    hold(before === spec.id, () => `claim ${key} went on in session ${spec.id} instead of ${before}`);
  }

  /** A line of the ledger. */
  line(line: Line): void {
    if (line.step !== "reserved" || line.resume === undefined) return;
    const { host = "", turn = 0 } = line;
    const before = this.#again.get(host) ?? turn;
    this.#again.set(host, turn);
    hold(before === turn, () => `host ${host} paid for turns ${before} and ${turn} again`);
  }
}

/** What an agent let go of is recorded with all that it had committed. A dead one's checkout is kept instead. */
export function workKept(
  { metadata, status }: Project,
  claim: ProjectClaim,
  { repository }: Pick<World, "repository">,
): void {
  const released = getCondition(status?.conditions, "Claimed")?.reason === "Released";
  const left = repository.lastHead(metadata.name, claim.number);
  if (!released || left === undefined) return;
  hold(
    status?.head !== undefined && repository.objects.has(status.head) && status.head === left.head,
    () => `Project ${metadata.name} was let go at ${left.head}; its status says ${status?.head}`,
  );
}
