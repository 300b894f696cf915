/** Why something is not moving, and what would change it. */
import type {
  Agent,
  AgentPool,
  Budget,
  Category,
  Escalation,
  Project,
  Review,
  Workspace,
} from "../../../pkg/api/generated.ts";

export interface Answer {
  /** It goes on by itself. */
  isMoving: boolean;
  /** A sentence, or several. */
  because: string;
  /** What a person can do; empty where nothing is to be done. */
  remedies: readonly string[];
}

/** Everything that an answer may depend on. */
export interface World {
  workspace: Workspace | undefined;
  pools: readonly AgentPool[];
  agents: readonly Agent[];
  projects: readonly Project[];
  reviews: readonly Review[];
  budgets: readonly Budget[];
  escalations: readonly Escalation[];
  categories: readonly Category[];
  /** Wall time, milliseconds. */
  now: number;
}

/** It goes on by itself. */
export function moving(because: string): Answer {
  return { isMoving: true, because, remedies: [] };
}

/** It stands until one of `remedies` is done: commands, or what to do in words. */
export function standing(because: string, ...remedies: readonly string[]): Answer {
  return { isMoving: false, because, remedies };
}

/** The first answer that a rule has. Their order is the policy: what stops more comes first. */
export function firstOf(rules: readonly (() => Answer | undefined)[]): Answer | undefined {
  for (const rule of rules) {
    const answer = rule();
    if (answer !== undefined) return answer;
  }
  return undefined;
}
