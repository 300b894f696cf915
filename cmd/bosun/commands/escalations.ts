/** `bosun escalations`: the questions that only a person can answer. */
import { ACTIONS } from "../../../pkg/api/escalations.ts";
import type { Escalation } from "../../../pkg/api/generated.ts";
import { ageOf } from "../../../pkg/api/human-duration.ts";
import type { Context } from "../context.ts";
import { withObjects } from "../operator-client/connect.ts";

export async function escalations(context: Context, { all = false }: { all?: boolean }): Promise<void> {
  await withObjects(context, async ({ client }) => {
    const { items } = await client.list("Escalation", { namespace: client.namespace });
    const shown = items.filter((escalation) => all || isOpen(escalation));
    if (shown.length === 0)
      return context.note(all ? "There are no escalations." : "There are no open escalations.");
    shown.forEach((escalation, index) => {
      if (index > 0) context.out("");
      for (const line of question(escalation, context.now())) context.out(line);
    });
  });
}

export function isOpen({ spec, status }: Escalation): boolean {
  return status?.state !== "Resolved" && spec.resolution === undefined;
}

/** An escalation as a person reads it: what happened, both sides, and what to type. */
export function question(escalation: Escalation, now: number): string[] {
  const { metadata, spec, status } = escalation;
  const about = spec.project === undefined ? "" : ` on ${spec.project}`;
  const lines = [`${metadata.name}: ${spec.reason}${about}, ${ageOf(metadata.creationTimestamp, now)} ago`];
  if (spec.message !== undefined) lines.push(`  ${spec.message}`);
  if (spec.commit !== undefined) lines.push(`  Commit: ${spec.commit.slice(0, 12)}`);
  if (spec.perspectives?.author !== undefined) lines.push(...block("Author", spec.perspectives.author));
  if (spec.perspectives?.reviewer !== undefined) lines.push(...block("Reviewer", spec.perspectives.reviewer));
  if (spec.conflictingFiles !== undefined)
    lines.push(...block("Conflicting files", spec.conflictingFiles.join("\n")));
  if (isOpen(escalation))
    lines.push(`  Answer: bosun resolve ${metadata.name} ${ACTIONS[spec.reason].join("|")} [NOTE]`);
  else lines.push(`  Answered: ${spec.resolution?.action ?? ""} ${status?.outcome ?? ""}`.trimEnd());
  return lines;
}

function block(title: string, text: string): string[] {
  return [
    `  ${title}:`,
    ...text
      .trimEnd()
      .split("\n")
      .map((line) => `    ${line}`.trimEnd()),
  ];
}
