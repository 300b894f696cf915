import { openConfined } from "./confined.ts";
import { failed, succeeded, type Tool } from "./toolbox.ts";

const path = {
  type: "string",
  minLength: 1,
  maxLength: 4096,
  description: "Relative to the checkout.",
} as const;
const text = { type: "string", maxLength: 2_000_000 } as const;
/** For reading or writing one file: a disk that takes longer does not answer. */
const fileLimitMs = 30_000;

/** Larger files are read in parts by bash, in bytes. */
const fileSizeLimit = 10_000_000;

/** What is shown where the model names no number. */
const defaultLines = 2000;

export function readFileTool(checkout: string): Tool<{ path: string; offset?: number; limit?: number }> {
  return {
    name: "read_file",
    description: `Returns lines of a text file: at most ${defaultLines}, or \`limit\`, from line \`offset\` on, counted from 1.`,
    schema: {
      type: "object",
      properties: {
        path,
        offset: { type: "integer", minimum: 1 },
        limit: { type: "integer", minimum: 1, maximum: 100_000 },
      },
      required: ["path"],
      additionalProperties: false,
    },
    limitMs: fileLimitMs,
    async run(input) {
      const lines = (await readText(checkout, input.path)).split("\n");
      if (lines.at(-1) === "") lines.pop();
      const from = (input.offset ?? 1) - 1;
      const shown = lines.slice(from, from + (input.limit ?? defaultLines));
      const left = lines.length - from - shown.length;
      return succeeded(left > 0 ? `${shown.join("\n")}\n[${left} more lines]` : shown.join("\n"));
    },
  };
}

export function writeFileTool(checkout: string): Tool<{ path: string; content: string }> {
  return {
    name: "write_file",
    description: "Writes a whole file, replacing what it held. Missing folders are made.",
    schema: {
      type: "object",
      properties: { path, content: text },
      required: ["path", "content"],
      additionalProperties: false,
    },
    limitMs: fileLimitMs,
    async run(input) {
      await writeText(checkout, input.path, input.content);
      return succeeded(`${input.path} now holds ${Buffer.byteLength(input.content)} bytes.`);
    },
  };
}

interface Edit {
  path: string;
  old_text: string;
  new_text: string;
}

export function editFileTool(checkout: string): Tool<Edit> {
  return {
    name: "edit_file",
    description: "Replaces `old_text` in a file by `new_text`. `old_text` must occur exactly once.",
    schema: {
      type: "object",
      properties: { path, old_text: { ...text, minLength: 1 }, new_text: text },
      required: ["path", "old_text", "new_text"],
      additionalProperties: false,
    },
    limitMs: fileLimitMs,
    async run(input) {
      const before = await readText(checkout, input.path);
      const at = before.indexOf(input.old_text);
      if (at === -1)
        return failed(`old_text does not occur in ${input.path}. Read the file and copy it exactly.`);
      if (before.indexOf(input.old_text, at + 1) !== -1) {
        return failed(
          `old_text occurs more than once in ${input.path}. Add lines around it until it is unique.`,
        );
      }
      const after = before.slice(0, at) + input.new_text + before.slice(at + input.old_text.length);
      await writeText(checkout, input.path, after);
      return succeeded(`${input.path} was changed.`);
    },
  };
}

async function readText(checkout: string, name: string): Promise<string> {
  const file = await openConfined(checkout, name, "read");
  try {
    const { size } = await file.stat();
    if (size > fileSizeLimit) throw new Error(`${name} has ${size} bytes. Read a part of it with bash.`);
    const bytes = await file.readFile();
    if (bytes.includes(0)) throw new Error(`${name} is not a text file.`);
    return bytes.toString("utf8");
  } finally {
    await file.close();
  }
}

async function writeText(checkout: string, name: string, content: string): Promise<void> {
  const file = await openConfined(checkout, name, "write");
  try {
    await file.truncate(0);
    await file.write(content, 0);
  } finally {
    await file.close();
  }
}
