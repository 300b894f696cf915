import { RE2JS } from "re2js";

/** A regular expression that takes linear time whatever it is given: scenario files are other people's text. */
export interface Pattern {
  test(text: string): boolean;
  /** Of the first match: group 1, or the whole match when there is no group. */
  first(text: string): string | undefined;
  /** Each match: `text` as for `first`, and its named groups. */
  all(text: string): readonly PatternMatch[];
}

export interface PatternMatch {
  text: string;
  groups: Readonly<Record<string, string>>;
}

const compiledBySource = new Map<string, Pattern>();

/**
 * Compiles RE2 syntax, each source once; `^` and `$` match at line ends.
 *
 * @throws Error when `source` is not RE2 syntax (look-around and back-references are not)
 */
export function pattern(source: string): Pattern {
  const known = compiledBySource.get(source) ?? compile(source);
  compiledBySource.set(source, known);
  return known;
}

function compile(source: string): Pattern {
  const compiled = RE2JS.compile(source, RE2JS.MULTILINE);
  const names = Object.keys(compiled.namedGroups());
  const all = function* (text: string): Generator<PatternMatch> {
    const matcher = compiled.matcher(text);
    while (matcher.find()) {
      const group = compiled.groupCount() > 0 ? matcher.group(1) : matcher.group();
      const groups = Object.fromEntries(names.map((name) => [name, matcher.group(name) ?? ""]));
      yield { text: group ?? "", groups };
    }
  };
  return {
    test: (text) => compiled.matcher(text).find(),
    first: (text) => all(text).next().value?.text,
    all: (text) => [...all(text)],
  };
}
