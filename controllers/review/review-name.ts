import type { Project } from "../../pkg/api/generated.ts";

/** The name of the Review of what was submitted last: one for each submission, whatever is repeated after a crash. */
export function reviewName(project: Project): string {
  const { run = 0, head = "" } = project.status?.submission ?? {};
  const resolved =
    project.status?.resolutions?.filter(({ reason }) => reason === "ReviewTimedOut").length ?? 0;
  const again = resolved === 0 ? "" : `-${resolved}`;
  return `${project.metadata.name}-${run}-${head.slice(0, 7)}${again}`;
}
