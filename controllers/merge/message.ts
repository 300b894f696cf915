/** The merge commit's message: the trailers trace it to Project, review and agents. */
import type { Project } from "../../pkg/api/generated.ts";
import { pendingVerdict } from "../../pkg/api/phases.ts";

export function mergeMessage(project: Project): string {
  const { number = 0, submission, claim } = project.status ?? {};
  const verdict = pendingVerdict(project.status ?? {});
  const trailers = [
    `Bosun-Project: ${project.metadata.name} (${number})`,
    ...(verdict?.review === undefined ? [] : [`Bosun-Review: ${verdict.review}`]),
    `Bosun-Agent: ${submission?.agent ?? claim?.agent ?? ""}`,
    `Bosun-Reviewer: ${verdict?.by ?? ""}`,
    `Bosun-Head: ${submission?.head ?? ""}`,
  ];
  // A title is one line of a person's or a model's text: it must not look like a trailer or a second line.
  const title = project.spec.title.replace(/\s+/g, " ").trim();
  return `Merge project ${number}: ${title}\n\n${trailers.join("\n")}\n`;
}
