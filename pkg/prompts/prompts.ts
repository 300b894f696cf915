/** What sessions are told, rendered: the interface that controllers are handed. */

export interface CriterionText {
  id: string;
  text: string;
}

export interface CheckText {
  name: string;
  /** `Passed`, `Failed`, ... */
  result: string;
  /** The end of what it printed. */
  output: string;
}

export interface ExecuteInput {
  agent: string;
  project: {
    title: string;
    category: string | undefined;
    description: string;
    tasks: readonly { id: string; title: string; description?: string | undefined }[];
    criteria: readonly CriterionText[];
  };
  branch: string;
  /** The check commands by name: `{ test: "npm test" }`. */
  commands: Readonly<Record<string, string>>;
  protectedPaths: readonly string[];
}

export interface ReworkInput {
  /** What opened the rework. */
  cause: "Review" | "Merge" | "Person";
  /** The review cycle that is beginning, 2 or more, and how many there may be. */
  cycle: number;
  cyclesMax: number;
  /** What the author has to do; data. */
  feedback: string;
  /** Where the cause is Merge: the commit that the branch has to take in. */
  target: string | undefined;
  conflictingFiles: readonly string[];
}

export interface ReviewInput {
  reviewer: string;
  persona: string | undefined;
  project: { title: string; category: string | undefined; description: string };
  criteria: readonly CriterionText[];
  base: string;
  head: string;
  summary: string;
  checks: readonly CheckText[];
  /** What Bosun's own inspection found. */
  findings: readonly string[];
  /** The patch, already cut. */
  diff: string;
}

export interface Prompts {
  execute(input: ExecuteInput): { system: string; message: string };
  /** The message that opens a further run of the same session. */
  rework(input: ReworkInput): { message: string };
  review(input: ReviewInput): { system: string; message: string };
}
