import { parse } from "yaml";

/** A text with `{{name}}` places, all of them declared in its front matter. */
export interface Template {
  name: string;
  inputs: readonly string[];
  body: string;
}

const place = /\{\{\s*([^{}]*?)\s*\}\}/g;
const validName = /^[a-z][A-Za-z]*$/;

/**
 * Reads a prompt: front matter between two `---` lines, whose `inputs` lists the variables, then the text.
 *
 * @throws Error naming the prompt when the front matter is missing, or the text and `inputs` disagree
 */
export function readTemplate(name: string, text: string): Template {
  const match = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(text);
  if (match === null)
    throw new Error(`Prompt \`${name}\` has no front matter. Begin it with \`---\` and \`inputs\`.`);
  const [, matter = "", body = ""] = match;
  const inputs = inputsOf(name, parse(matter));
  const used = new Set([...body.matchAll(place)].map(([, variable]) => variable ?? ""));
  for (const variable of used) {
    if (inputs.includes(variable)) continue;
    throw new Error(
      `Prompt \`${name}\` uses \`{{${variable}}}\`, which its front matter does not declare. Add it to \`inputs\`.`,
    );
  }
  for (const input of inputs) {
    if (used.has(input)) continue;
    throw new Error(
      `Prompt \`${name}\` declares \`${input}\` and does not use it. Remove it from \`inputs\`.`,
    );
  }
  return { name, inputs, body: body.trim() };
}

/**
 * The text with each place filled. Values are put in as they are: a `{{...}}` within one stays as it is.
 *
 * @throws Error naming the variable when one is missing, or is given and unknown
 */
export function renderTemplate(
  { name, inputs, body }: Template,
  values: Readonly<Record<string, string>>,
): string {
  for (const given of Object.keys(values)) {
    if (!inputs.includes(given)) throw new Error(`Prompt \`${name}\` has no input \`${given}\`.`);
  }
  return body.replace(place, (_place, variable: string) => {
    const value = Object.hasOwn(values, variable) ? values[variable] : undefined;
    if (value === undefined)
      throw new Error(`Prompt \`${name}\` needs \`${variable}\`, which was not given.`);
    return value;
  });
}

function inputsOf(name: string, matter: unknown): readonly string[] {
  const inputs = (matter as { inputs?: unknown } | null)?.inputs;
  if (Array.isArray(inputs) && inputs.every((input) => typeof input === "string" && validName.test(input))) {
    return inputs;
  }
  throw new Error(`Prompt \`${name}\` must list its \`inputs\`: names of letters, a small one first.`);
}
