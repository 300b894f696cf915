import { KINDS } from "../../pkg/api/generated.ts";
import type { Kind } from "../../pkg/runtime/client.ts";
import { didYouMean } from "./did-you-mean.ts";
import { UserError } from "./user-error.ts";

/**
 * The kind that people call `word`: its name, plural, singular or a short name, in any case.
 *
 * @throws UserError with a suggestion when there is none
 */
export function kindOf(word: string): Kind {
  const wanted = word.toLowerCase();
  for (const kind of Object.keys(KINDS) as Kind[]) if (wordsFor(kind).includes(wanted)) return kind;
  const words = (Object.keys(KINDS) as Kind[]).flatMap(wordsFor);
  const plurals = Object.values(KINDS).map(({ plural }) => plural);
  throw new UserError(
    `There is no kind "${word}".${didYouMean(wanted, words)} Kinds: ${plurals.join(", ")}.`,
    { exitCode: 2 },
  );
}

function wordsFor(kind: Kind): string[] {
  const { plural, singular, shortNames } = KINDS[kind];
  return [plural, singular, ...shortNames];
}
