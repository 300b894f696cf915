import { DamagedCheckout, headIn } from "../../git/checkout-files.ts";
import type { SessionSpec } from "../sessions.ts";
import { bashTool } from "./bash.ts";
import { editFileTool, readFileTool, writeFileTool } from "./files.ts";
import { failed, succeeded, type Tool, type Toolbox, toolbox } from "./toolbox.ts";
import type { Workplace } from "./workplace.ts";

/** For one question to git about the checkout; one that hangs must not hold the session. */
const gitTimeoutSeconds = 60;

/** Prints the commit that is out, an empty line where there is none, then what is not committed: a sandbox for both. */
const standing = "git rev-parse --quiet --verify HEAD 2>/dev/null || echo; exec git status --porcelain";

const reminder =
  "No tool was called, and the work is not handed in. Go on with it. When it is complete and committed, call " +
  "`request_review`; nothing else ends it.";

export interface ExecuteOptions {
  spec: SessionSpec;
  place: Workplace;
  /** Commit at which the run began. */
  headAtStart(): string | undefined;
}

/** What an author can do. */
export function executeTools({ spec, place, headAtStart }: ExecuteOptions): Toolbox {
  const tools = [
    bashTool(place, spec.toolTimeoutSeconds),
    readFileTool(spec.checkout),
    writeFileTool(spec.checkout),
    editFileTool(spec.checkout),
    taskDoneTool(spec),
    requestReviewTool(spec, place, headAtStart),
  ];
  return toolbox(tools as readonly Tool[], reminder);
}

function taskDoneTool(spec: SessionSpec): Tool<{ task: string }> {
  const ids = spec.tasks.map(({ id }) => id);
  return {
    name: "task_done",
    description:
      "Says that a task is complete and committed. Call it once for each task, as soon as that is so.",
    schema: {
      type: "object",
      properties: { task: { type: "string", description: "Its id, `T-1` for instance." } },
      required: ["task"],
      additionalProperties: false,
    },
    limitMs: 1000,
    async run({ task }) {
      if (!ids.includes(task))
        return failed(`There is no task \`${task}\`. There are: ${ids.join(", ") || "none"}.`);
      return { ...succeeded(`${task} is noted as done.`), taskDone: task };
    },
  };
}

interface ReviewRequest {
  summary: string;
  evidence: readonly { criterion: string; evidence: string }[];
}

/** Hands the work in: everything committed, and evidence for each criterion. */
function requestReviewTool(
  spec: SessionSpec,
  place: Workplace,
  headAtStart: () => string | undefined,
): Tool<ReviewRequest> {
  let warnedOfNothing = false;
  return {
    name: "request_review",
    description:
      "Hands the committed work in for review and ends the run. `evidence` says for each acceptance criterion where " +
      "in the code or the tests it is met.",
    schema: {
      type: "object",
      properties: {
        summary: { type: "string", minLength: 1, maxLength: 10_000 },
        evidence: {
          type: "array",
          items: {
            type: "object",
            properties: {
              criterion: { type: "string" },
              evidence: { type: "string", minLength: 1, maxLength: 5000, pattern: "\\S" },
            },
            required: ["criterion", "evidence"],
            additionalProperties: false,
          },
        },
      },
      required: ["summary", "evidence"],
      additionalProperties: false,
    },
    limitMs: 2 * gitTimeoutSeconds * 1000,
    async run({ summary, evidence }) {
      const problems = eachOnce(
        "criterion",
        spec.criteria.map(({ id }) => id),
        evidence.map(({ criterion }) => criterion),
      );
      if (problems.length > 0) return failed(problems.join("\n"));

      const { exitCode, output } = await place.run(standing, gitTimeoutSeconds);
      if (exitCode !== 0) return failed(`git status failed:\n${output}`);
      const [head = "", ...changes] = output.split("\n");
      const status = changes.join("\n");
      if (status.trim() !== "") {
        return failed(`Not everything is committed. Commit it or remove it, then ask again:\n${status}`);
      }
      if (head !== "" && head === headAtStart() && !warnedOfNothing) {
        warnedOfNothing = true;
        return failed(
          "Nothing was committed in this run. If what is on the branch already is complete, call this again.",
        );
      }
      return { ...succeeded("Handed in."), outcome: { kind: "Finished", summary, evidence } };
    },
  };
}

/** The commit that the checkout has out; undefined when it has none. Its files say it, or git where they are odd. */
export async function headOf(place: Workplace): Promise<string | undefined> {
  try {
    return headIn(place.checkout).head;
  } catch (error) {
    if (!(error instanceof DamagedCheckout)) throw error;
    const { exitCode, output } = await place.run(["git", "rev-parse", "--verify", "HEAD"], gitTimeoutSeconds);
    return exitCode === 0 ? output.trim() : undefined;
  }
}

/** What is wrong with a list that must name each of `wanted` exactly once; empty when it does. */
export function eachOnce(
  what: string,
  wanted: readonly string[],
  given: readonly string[],
): readonly string[] {
  const missing = wanted.filter((id) => !given.includes(id));
  const unknown = given.filter((id) => !wanted.includes(id));
  const twice = given.filter((id, index) => wanted.includes(id) && given.indexOf(id) !== index);
  return [
    ...missing.map((id) => `The ${what} ${id} is missing.`),
    ...unknown.map((id) => `There is no ${what} ${id}.`),
    ...twice.map((id) => `The ${what} ${id} is given more than once.`),
  ];
}
