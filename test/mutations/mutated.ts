import type { Mutation } from "./mutations.ts";

/**
 * `text` with the bug in it.
 *
 * @throws Error when what the bug replaces does not stand there exactly once: the code has moved on
 */
export function mutated(text: string, { name, file, find, replace }: Mutation): string {
  const places = text.split(find).length - 1;
  if (places !== 1) throw new Error(`${name}: ${places} places in ${file} instead of one are:\n${find}`);
  return text.replace(find, () => replace);
}
