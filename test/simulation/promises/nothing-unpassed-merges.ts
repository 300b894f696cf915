/** Promise 5: nothing merges that did not pass, and nothing twice: recomputed from commits, trees and judgements. */
import type { Project } from "../../../pkg/api/generated.ts";
import type { World } from "../world.ts";
import { promise } from "./promise.ts";

const hold = promise(5, "nothing merges that did not pass");

export class Merges {
  readonly #world: World;
  readonly #merged = new Map<string, string>();
  constructor(world: World) {
    this.#world = world;
  }

  swapped(from: string, to: string): void {
    const { api } = this.#world;
    // As it is written: who is told of changes may not have been told yet.
    const project = api
      .objects("Project")
      .map(({ metadata }) => api.newest("Project", metadata.name))
      .find((newest) => newest?.status?.merge?.to === to);
    hold(project !== undefined, () => `${to} became the target and no Project had announced it`);
    if (project !== undefined) this.#judge(project, { from, to });
  }

  #judge(project: Project, { from, to }: { from: string; to: string }): void {
    const { repository, quality, sessions } = this.#world;
    const commit = repository.objects.get(to);
    hold(commit.parents[0] === from, () => `${to} was swapped in for ${from}, which is not its first parent`);
    const { name, uid = "" } = project.metadata;
    const before = this.#merged.get(uid);
    hold(before === undefined, () => `${name} was merged as ${before} and again as ${to}`);
    this.#merged.set(uid, to);

    const second = repository.objects.get(commit.parents[1] ?? "");
    const head = second.rebaseOf ?? second.id;
    const { submission, verdict } = project.status ?? {};
    hold(
      submission?.head === head || submission?.head === second.id,
      () => `${name} was merged at ${head}, handed over was ${submission?.head}`,
    );
    hold(quality.isGreen(to) && !quality.hasFlaked(to), () => `${name} was merged and its checks are red`);
    hold(
      verdict?.result === "Approved" && verdict.by !== submission?.agent,
      () => `${name} was merged unapproved`,
    );
    if (verdict?.by === "person") {
      const decided = project.status?.resolutions?.some(
        ({ reason, action, commit: at }) =>
          reason === "ReviewDeadlock" && action === "Approve" && (at === head || at === second.id),
      );
      hold(decided === true, () => `${name} was merged in the name of a person who decided nothing`);
    } else
      hold(
        (sessions.judged.get(submission?.head ?? "") ?? "none") === "Approved",
        () => `${name} was merged at ${submission?.head}, which no reviewer's session approved`,
      );
    for (const { tree, parents } of repository.objects.between(from, second.id))
      for (const [path, content] of tree) {
        if (repository.objects.get(parents[0] ?? second.id).tree.get(path) === content) continue;
        hold(!content.includes("secret"), () => `${name} was merged with a secret in ${path}`);
        hold(!path.startsWith(".claude-sessions/"), () => `${name} was merged with ${path}`);
      }
  }
}
