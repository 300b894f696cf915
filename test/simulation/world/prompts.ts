/** What sessions are told, in the few words that simulated sessions read. */
import type { Prompts } from "../../../pkg/prompts/prompts.ts";

export const simPrompts: Prompts = {
  execute: ({ project }) => ({ system: "execute", message: `Work on ${project.title}` }),
  rework: ({ cause, target, feedback }) => ({
    message: `Rework after ${cause}${target === undefined ? "" : ` take-in ${target}`}: ${feedback.slice(0, 80)}`,
  }),
  review: ({ head }) => ({ system: "review", message: `Judge ${head}` }),
};

/** The commit that a message says to merge into the branch. */
export function takeInOf(message: string): string | undefined {
  return /take-in ([0-9a-f]{40})/.exec(message)?.[1];
}
