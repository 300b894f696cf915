/**
 * Changes what a YAML text means by replacing as few of its bytes as can be: comments, order, quotes, line ends and
 * indentation of everything else stay.
 *
 * One difference at a time is found, several ways to write it are tried in the order of their looks, and each is
 * parsed again: only a text that means what was wanted is taken.
 */
import { isAlias, isNode } from "yaml";
import { sameJson } from "../../api/same-json.ts";
import { parseYaml, writeYaml, type YamlDocument } from "../../encoding/yaml.ts";
import { isJsonMap, type JsonMap, own, type Path, pathString, valueAt } from "./json.ts";
import type { ReadYaml } from "./remembered-yaml.ts";
import { rewritings } from "./rewritings.ts";

/** One step from what a document means to what it should mean. */
export type Rewrite =
  | { do: "set"; path: Path; value: unknown }
  /** A key that the map at `path` doesn't have. */
  | { do: "add"; path: Path; key: string; value: unknown }
  /** An item before the one at `index`, or behind the last. */
  | { do: "insert"; path: Path; index: number; value: unknown }
  | { do: "remove"; path: Path };

/** No way was found to say it without losing a comment or an anchor. Nothing was changed. */
export class SpliceError extends Error {
  override readonly name = "SpliceError";
}

/**
 * `text` with document `index` (of those `parseYaml` returns) meaning `wanted`, all others as they were.
 *
 * @param read - one that remembers reads each round's text once
 * @throws SpliceError when that can't be said without losing a comment or an anchor, or when `text` is no YAML
 */
export function splice(text: string, index: number, wanted: JsonMap, read: ReadYaml = parseYaml): string {
  let current = text;
  // Each round brings one difference nearer; aliases may make a round undo another, so there is an end to it.
  for (let round = 0; round < 1000; round += 1) {
    const parsed = parsedDocuments(current, read);
    const document = documentAt(parsed, index);
    const rewrite = firstDifference(document.value, wanted, []);
    if (rewrite === undefined) return current;
    current = apply(current, parsed, { index, rewrite, wanted, read });
  }
  throw new SpliceError(
    "The document refers to itself in a way that can't be changed in place. Edit it by hand.",
  );
}

/** `text` with one more document at its end. */
export function appendDocument(text: string, value: JsonMap, read: ReadYaml = parseYaml): string {
  const parsed = parsedDocuments(text, read);
  const lineEnd = lineEndOf(text);
  const added = writeYaml(value).replaceAll("\n", lineEnd);
  const before = text === "" || text.endsWith("\n") ? text : text + lineEnd;
  const result = parsed.length === 0 ? before + added : `${before}---${lineEnd}${added}`;
  if (!means(result, [...parsed.map((document) => document.value), value], read)) {
    throw new SpliceError("A document can't be added at the end of the file. Edit it by hand.");
  }
  return result;
}

/** `text` without document `index`; comments around the document stay, those within it go with it. */
export function removeDocument(text: string, index: number, read: ReadYaml = parseYaml): string {
  const parsed = parsedDocuments(text, read);
  const { document, start, end } = documentAt(parsed, index);
  const [from = 0, to = 0] = document.contents?.range ?? [];
  const lineStart = text.lastIndexOf("\n", from - 1) + 1;
  const contentStart = Math.max(start, /^\s*$/.test(text.slice(lineStart, from)) ? lineStart : from);
  const rest = text.slice(start, contentStart) + text.slice(to, end);
  const kept = /^\uFEFF?(?:---)?\s*(?:\.\.\.)?\s*$/.test(rest) ? "" : rest;
  const result = text.slice(0, start) + kept + text.slice(end);
  const others = parsed.filter((_, at) => at !== index).map((other) => other.value);
  if (!means(result, others, read))
    throw new SpliceError("The document can't be taken out of the file. Edit it by hand.");
  return result;
}

/** What the text's lines end with: the first one decides. */
function lineEndOf(text: string): "\n" | "\r\n" {
  return /^[^\n]*\r\n/.test(text) ? "\r\n" : "\n";
}

function parsedDocuments(text: string, read: ReadYaml): readonly YamlDocument[] {
  const parsed = read(text);
  if (parsed.valid) return parsed.documents;
  const [problem] = parsed.problems;
  throw new SpliceError(`Line ${problem?.line}: ${problem?.message}`);
}

function documentAt(documents: readonly YamlDocument[], index: number): YamlDocument {
  const document = documents[index];
  if (document === undefined) throw new RangeError(`The text has no document ${index}.`);
  return document;
}

function means(text: string, wanted: readonly unknown[], read: ReadYaml): boolean {
  const parsed = read(text);
  return (
    parsed.valid &&
    sameJson(
      parsed.documents.map((document) => document.value),
      wanted,
    )
  );
}

/** Additions come before removals, so that a map is emptied only when it should end up empty. */
function firstDifference(current: unknown, wanted: unknown, path: Path): Rewrite | undefined {
  if (sameJson(current, wanted)) return undefined;
  if (isJsonMap(current) && isJsonMap(wanted)) {
    const keys = Object.keys(current);
    const wantedKeys = Object.keys(wanted).filter((key) => wanted[key] !== undefined);
    if (keys.length === 0 || wantedKeys.length === 0) return { do: "set", path, value: wanted };
    for (const key of keys.filter((key) => own(wanted, key) !== undefined)) {
      const difference = firstDifference(current[key], wanted[key], [...path, key]);
      if (difference !== undefined) return difference;
    }
    const added = wantedKeys.find((key) => !Object.hasOwn(current, key));
    if (added !== undefined) return { do: "add", path, key: added, value: wanted[added] };
    const removed = keys.find((key) => own(wanted, key) === undefined);
    return removed === undefined ? undefined : { do: "remove", path: [...path, removed] };
  }
  if (Array.isArray(current) && Array.isArray(wanted) && current.length > 0 && wanted.length > 0) {
    const index = current.findIndex((item, at) => !sameJson(item, wanted[at]));
    if (current.length > wanted.length) return { do: "remove", path: [...path, index] };
    if (current.length === wanted.length)
      return firstDifference(current[index], wanted[index], [...path, index]);
    const at = index === -1 ? current.length : index;
    return { do: "insert", path, index: at, value: wanted[at] };
  }
  return { do: "set", path, value: wanted };
}

interface Round {
  /** Of the document. */
  index: number;
  rewrite: Rewrite;
  /** What the document should mean in the end. */
  wanted: JsonMap;
  read: ReadYaml;
}

/** The first text that does what `rewrite` asks, else one that writes the smallest parent anew. */
function apply(
  text: string,
  parsed: readonly YamlDocument[],
  { index, rewrite, wanted, read }: Round,
): string {
  const document = documentAt(parsed, index);
  const expected = rewritten(document.value, rewrite);
  let nearly: string | undefined;
  for (const candidate of rewritings(text, document, rewrite)) {
    const result = read(candidate);
    if (!result.valid || result.documents.length !== parsed.length) continue;
    if (result.documents.some((other, at) => at !== index && !sameJson(other.value, parsed[at]?.value)))
      continue;
    const value = result.documents[index]?.value;
    if (sameJson(value, expected)) return candidate;
    // An anchor was changed, and its aliases with it: those are differences for later rounds.
    const [at, there] = touched(rewrite);
    if (sameJson(valueAt(value, at), there)) nearly ??= candidate;
  }
  if (nearly !== undefined) return nearly;

  const parent = rewrite.do === "add" || rewrite.do === "insert" ? rewrite.path : rewrite.path.slice(0, -1);
  const node = document.document.getIn(parent, true);
  const [from, to] = (isNode(node) ? node.range : undefined) ?? [document.start, document.end];
  const isWhole = rewrite.do === "set" && rewrite.path.length === 0;
  if (isWhole || (!isAlias(node) && /#|[&*]\w/.test(text.slice(from, to)))) {
    throw new SpliceError(
      `The field ${pathString(touched(rewrite)[0]) || "at the top"} can't be changed without losing a comment or an ` +
        "anchor. Edit the file by hand.",
    );
  }
  const whole: Rewrite = { do: "set", path: parent, value: valueAt(wanted, parent) };
  return apply(text, parsed, { index, rewrite: whole, wanted, read });
}

function touched(rewrite: Rewrite): [path: Path, value: unknown] {
  if (rewrite.do === "add") return [[...rewrite.path, rewrite.key], rewrite.value];
  if (rewrite.do === "insert") return [[...rewrite.path, rewrite.index], rewrite.value];
  return [rewrite.path, rewrite.do === "set" ? rewrite.value : undefined];
}

function rewritten(root: unknown, rewrite: Rewrite): unknown {
  const copy = structuredClone({ root });
  const [path, value] = touched(rewrite);
  const full: Path = ["root", ...path];
  const parent = valueAt(copy, full.slice(0, -1));
  const last = full.at(-1) ?? "root";
  if (Array.isArray(parent)) {
    parent.splice(Number(last), rewrite.do === "insert" ? 0 : 1, ...(rewrite.do === "remove" ? [] : [value]));
  } else if (isJsonMap(parent)) {
    if (rewrite.do === "remove") delete parent[last];
    else Object.defineProperty(parent, last, { value, enumerable: true, configurable: true, writable: true });
  }
  return copy.root;
}
