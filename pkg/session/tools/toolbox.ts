import type Anthropic from "@anthropic-ai/sdk";
import type { Outcome } from "../sessions.ts";
import { type ObjectSchema, problemsOf } from "./input-schema.ts";

export interface ToolResult {
  content: string;
  isError: boolean;
  /** Id of a task that this call completed. */
  taskDone?: string;
  /** The call ended the run. */
  outcome?: Outcome;
}

export interface Tool<Input = never> {
  name: string;
  description: string;
  /** Of the input; `run` is called with nothing else. */
  schema: ObjectSchema;
  /** Longest a call may take, in milliseconds. */
  limitMs: number;
  /** Whatever goes wrong is a result: the model has to learn of it. */
  run(input: Input): Promise<ToolResult>;
}

/** The tools of one session. */
export interface Toolbox {
  definitions: readonly Anthropic.Messages.Tool[];
  /** What a model is told that stopped calling tools without having finished. */
  reminder: string;
  limitMs(name: string): number;
  run(name: string, input: unknown): Promise<ToolResult>;
}

/**
 * What a model is offered. A call that can't be made, is not valid or fails gives a result that says so: it never throws.
 *
 * @param reminder - how the model is asked to go on when it called none of them
 */
export function toolbox(tools: readonly Tool[], reminder: string): Toolbox {
  const known = new Map(tools.map((tool) => [tool.name, tool]));
  return {
    definitions: tools.map(({ name, description, schema }) => ({
      name,
      description,
      input_schema: { ...schema },
    })),
    reminder,
    limitMs: (name) => known.get(name)?.limitMs ?? 0,
    async run(name, input) {
      const tool = known.get(name);
      if (tool === undefined) {
        return failed(`There is no tool \`${name}\`. There are: ${[...known.keys()].join(", ")}.`);
      }
      const problems = problemsOf(tool.schema, input);
      if (problems.length > 0) return failed(`The input is not valid: ${problems.join(", ")}.`);
      try {
        return await tool.run(input as never);
      } catch (error) {
        return failed(`${name} failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
  };
}

export function succeeded(content: string): ToolResult {
  return { content, isError: false };
}

export function failed(content: string): ToolResult {
  return { content, isError: true };
}
