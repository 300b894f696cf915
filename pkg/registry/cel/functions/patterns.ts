import { RE2JS } from "re2js";
import { bool, int, listOf, string } from "../check/type.ts";
import { ArrayList } from "../values/lists.ts";
import { CelError, type Value, type Work } from "../values/value.ts";
import { matched } from "./costs.ts";
import { global, type Library, member } from "./overload.ts";

/**
 * Regular expressions, on RE2: in time linear in the text, whatever the pattern. A backtracking engine could be held
 * for minutes by a pattern that means well.
 */
export const patterns: Library = {
  matches: [
    global("matches", [string, string], bool, matches, { cost: matched }),
    member("matches_string", [string, string], bool, matches, { cost: matched }),
  ],
  find: [member("string_find_string", [string, string], string, find, { cost: matched })],
  findAll: [
    member("string_find_all_string", [string, string], listOf(string), findAll, { cost: matched }),
    member("string_find_all_string_int", [string, string, int], listOf(string), findAll, { cost: matched }),
  ],
};

/** Why `pattern` is none; undefined when it is one. */
export function patternProblem(pattern: string): string | undefined {
  const found = compiled(pattern);
  return typeof found === "string" ? found : undefined;
}

const cache = new Map<string, RE2JS | string>();

/** Patterns are nearly always literals of a CRD; the bound is for those that are computed. */
const cacheSize = 1000;

/** Of compiling, for each character of a pattern: one such as `{0,1000}` makes hundreds of states. */
const compileToil = 2000;
/** Of looking at each character. Telling where a match is takes longer than telling that there is one. */
const testToil = 2;
const findToil = 10;

/** The pattern, or what is wrong with it. */
function compiled(pattern: string, work?: Work): RE2JS | string {
  let found = cache.get(pattern);
  if (found === undefined) {
    work?.toil(compileToil * pattern.length);
    if (cache.size >= cacheSize) cache.clear();
    found = compile(pattern);
    cache.set(pattern, found);
  }
  return found;
}

function compile(pattern: string): RE2JS | string {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    return (error as Error).message;
  }
}

function matches([text, pattern]: readonly Value[], work: Work): Value {
  const regex = compiled(pattern as string, work);
  if (typeof regex === "string") return new CelError(regex);
  work.toil((text as string).length * testToil);
  return regex.test(text as string);
}

function find([text, pattern]: readonly Value[], work: Work): Value {
  const regex = compiled(pattern as string, work);
  if (typeof regex === "string") return new CelError(`Illegal regex: ${regex}`);
  work.toil((text as string).length * findToil);
  const matcher = regex.matcher(text as string);
  return matcher.find() ? (matcher.group() ?? "") : "";
}

function findAll([text, pattern, limit]: readonly Value[], work: Work): Value {
  const regex = compiled(pattern as string, work);
  if (typeof regex === "string") return new CelError(`Illegal regex: ${regex}`);
  const most = limit === undefined || (limit as bigint) < 0n ? Number.POSITIVE_INFINITY : Number(limit);
  const found: string[] = [];
  const matcher = regex.matcher(text as string);
  work.toil((text as string).length * findToil);
  while (found.length < most && matcher.find()) found.push(matcher.group() ?? "");
  return new ArrayList(found);
}
