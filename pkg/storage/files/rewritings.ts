/** The ways to write one change into a YAML text, best-looking first. Some may not parse: the caller checks each. */
import {
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { writeFlowYaml, writeYaml, type YamlDocument } from "../../encoding/yaml.ts";
import type { Path } from "./json.ts";
import type { Rewrite } from "./splice.ts";

/** A document's text and how its author lays things out. */
interface Page {
  text: string;
  lineEnd: string;
  indent: number;
  indentSeq: boolean;
}

/** Where a node stands: in which collection, and whether everything around it is block style. */
interface Place {
  node: Node | null;
  /** Undefined at the document's top. */
  parent: YAMLMap | YAMLSeq | undefined;
  pair: Pair | undefined;
  flow: boolean;
}

export function* rewritings(text: string, whole: YamlDocument, rewrite: Rewrite): Generator<string> {
  const { document } = whole;
  const page = pageOf(text, document.contents);
  const place = find(document.contents, rewrite.path);
  if (place === undefined) {
    // A key that came by `<<` is said anew beside it.
    const key = rewrite.path.at(-1);
    if (rewrite.do !== "set" || typeof key !== "string") return;
    const path = rewrite.path.slice(0, -1);
    if (isMap(find(document.contents, path)?.node)) {
      yield* rewritings(text, whole, { do: "add", path, key, value: rewrite.value });
    }
    return;
  }
  const { node } = place;
  const flow = place.flow || (isMap(node) || isSeq(node) ? node.flow === true : false);
  switch (rewrite.do) {
    case "set":
      return yield* setting(page, place, rewrite.value);
    case "remove":
      return yield* removing(page, place);
    case "add": {
      if (!isMap(node)) return;
      const pair = { [rewrite.key]: rewrite.value };
      if (flow)
        return yield* addingToFlow(page, node, node.items.length, writeFlowYaml(pair).slice(1, -1).trim());
      return yield* addingToBlock(page, node, node.items.length, writeYaml(pair, page));
    }
    case "insert": {
      if (!isSeq(node)) return;
      if (flow) return yield* addingToFlow(page, node, rewrite.index, writeFlowYaml(rewrite.value));
      return yield* addingToBlock(page, node, rewrite.index, writeYaml([rewrite.value], page));
    }
  }
}

function* setting(page: Page, { node, parent, pair, flow }: Place, value: unknown): Generator<string> {
  const { text } = page;
  const inline = writeFlowYaml(value);
  const isCollection = typeof value === "object" && value !== null && !/^[[{]\s*[\]}]$/.test(inline);

  if (node === null || (isScalar(node) && node.range?.[0] === node.range?.[1])) {
    // `key:` with nothing behind it.
    const at = pair === undefined ? node?.range?.[0] : colonEnd(text, pair);
    if (at === undefined) return;
    if (!flow && isMap(parent)) yield replace(text, at, at, behindKey(page, parent, value));
    yield replace(text, at, at, ` ${inline}`);
    return;
  }
  const start = node.range?.[0] ?? 0;
  const end = contentEnd(text, node);
  if (isScalar(node) && typeof value === "string") {
    if (node.type === "QUOTE_DOUBLE") yield replace(text, start, end, writeDoubleQuoted(value));
    if (node.type === "QUOTE_SINGLE" && /^[\x20-\x7e\xa0-\u2027]*$/.test(value)) {
      yield replace(text, start, end, `'${value.replaceAll("'", "''")}'`);
    }
  }
  if (!flow && (isCollection || (typeof value === "string" && value.includes("\n")))) {
    if (isMap(parent) && pair !== undefined) {
      const written = behindKey(page, parent, value);
      if (!isCollection) yield replace(text, start, end, written.trimStart());
      else if (isScalar(node) || isAlias(node) || isInFlow(node))
        yield replace(text, colonEnd(text, pair), end, written);
    } else if (isSeq(parent) && !isCollection) {
      const dash = text.lastIndexOf("-", start - 1);
      yield replace(text, start, end, lines(page, writeYaml([value], page), column(text, dash)).slice(2));
    }
    if (isCollection)
      yield replace(text, start, end, lines(page, writeYaml(value, page), column(text, start)));
  }
  yield replace(text, start, end, inline);
  if (!flow && pair !== undefined && (isMap(node) || isSeq(node))) {
    // A block that becomes one word: the word behind the colon, and the block's lines gone.
    const lineStart = text.lastIndexOf("\n", start - 1) + 1;
    const newline = text.indexOf("\n", end);
    const colon = colonEnd(text, pair);
    const without = replace(text, lineStart, newline === -1 ? text.length : newline + 1, "");
    yield replace(without, colon, colon, ` ${inline}`);
  }
  if (typeof value === "string") yield replace(text, start, end, writeDoubleQuoted(value));
}

/** What follows a key's colon: ` value`, or its lines below. */
function behindKey(page: Page, parent: YAMLMap, value: unknown): string {
  const indent = column(page.text, startOf(parent.items[0]?.key) ?? 0);
  return lines(page, writeYaml({ k: value }, page), indent).slice("k:".length);
}

function* addingToFlow(
  page: Page,
  into: YAMLMap | YAMLSeq,
  index: number,
  written: string,
): Generator<string> {
  const { text } = page;
  const before = into.items[index - 1];
  if (before !== undefined) {
    const at = itemEnd(text, before);
    yield replace(text, at, at, `, ${written}`);
    return;
  }
  const first = startOf(into.items[0]);
  if (first !== undefined) yield replace(text, first, first, `${written}, `);
  const at = (into.range?.[0] ?? 0) + 1;
  yield replace(text, at, at, written);
}

function* addingToBlock(
  page: Page,
  into: YAMLMap | YAMLSeq,
  index: number,
  written: string,
): Generator<string> {
  const { text, lineEnd } = page;
  const indent = column(text, into.range?.[0] ?? 0);
  const padding = " ".repeat(indent);
  const added = lines(page, written, indent);
  const before = into.items[index - 1];
  if (before === undefined) {
    const start = into.range?.[0] ?? 0;
    yield replace(text, start, start, `${added}${lineEnd}${padding}`);
    return;
  }
  const newline = text.indexOf("\n", itemEnd(text, before));
  if (newline === -1) yield `${text}${lineEnd}${padding}${added}`;
  else yield replace(text, newline + 1, newline + 1, `${padding}${added}${lineEnd}`);
}

function* removing(page: Page, { node, parent, pair, flow }: Place): Generator<string> {
  const { text } = page;
  if (parent === undefined) return;
  const index = parent.items.findIndex((item) => item === (pair ?? node));
  const start = startOf(pair?.key ?? node);
  if (index === -1 || start === undefined) return;
  const end = itemEnd(text, pair ?? node);
  const [before, after] = [parent.items[index - 1], parent.items[index + 1]];
  if (flow || parent.flow === true) {
    if (before !== undefined) yield replace(text, itemEnd(text, before), end, "");
    const next = startOf(after);
    if (next !== undefined) yield replace(text, start, next, "");
    return;
  }
  const from = isSeq(parent) ? text.lastIndexOf("-", start - 1) : start;
  const lineStart = text.lastIndexOf("\n", from - 1) + 1;
  const newline = text.indexOf("\n", end);
  const lineStop = newline === -1 ? text.length : newline + 1;
  if (!/^[ \t]*(?:#.*)?\r?\n?$/.test(text.slice(end, lineStop))) return;
  if (/^[ \t]*$/.test(text.slice(lineStart, from))) {
    // The last line of a file that has no newline at its end takes the one before it along.
    if (newline === -1)
      yield replace(
        text,
        lineStart === 0 ? 0 : lineStart - (text[lineStart - 2] === "\r" ? 2 : 1),
        lineStop,
        "",
      );
    yield replace(text, lineStart, lineStop, "");
    return;
  }
  // The first key of a list's item shares its line with the dash.
  const nextLine = /^[ \t]*(?=\S)(?!#)/.exec(text.slice(lineStop));
  if (nextLine !== null) yield replace(text, from, lineStop + nextLine[0].length, "");
  yield replace(text, from, newline === -1 ? lineStop : newline, "");
}

function find(root: Node | null, path: Path): Place | undefined {
  let place: Place = { node: root, parent: undefined, pair: undefined, flow: false };
  for (const step of path) {
    const { node } = place;
    const flow: boolean = place.flow || ((isMap(node) || isSeq(node)) && node.flow === true);
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find(
        ({ key }) => isScalar(key) && String(key.value) === String(step),
      );
      if (pair === undefined) return undefined;
      place = { node: isNode(pair.value) ? pair.value : null, parent: node, pair, flow };
    } else if (isSeq(node)) {
      const item = node.items[Number(step)];
      if (!isNode(item)) return undefined;
      place = { node: item, parent: node, pair: undefined, flow };
    } else return undefined;
  }
  return place;
}

/** The author's own indentation, read off the first nested collections. */
function pageOf(text: string, root: Node | null): Page {
  let indent: number | undefined;
  let indentSeq: boolean | undefined;
  const look = (node: unknown): void => {
    if ((!isMap(node) && !isSeq(node)) || node.flow === true) return;
    const outer = column(text, node.range?.[0] ?? 0);
    for (const item of node.items) {
      const value = isPair(item) ? item.value : item;
      if (isMap(node) && isMap(value) && value.flow !== true)
        indent ??= column(text, value.range?.[0] ?? 0) - outer;
      if (isMap(node) && isSeq(value) && value.flow !== true)
        indentSeq ??= column(text, value.range?.[0] ?? 0) > outer;
      look(value);
    }
  };
  look(root);
  const lineEnd = /^[^\n]*\r\n/.test(text) ? "\r\n" : "\n";
  return { text, lineEnd, indent: Math.max(1, indent ?? 2), indentSeq: indentSeq ?? true };
}

/** `written` without its last newline, all lines but the first moved right, with the file's line ends. */
function lines({ lineEnd }: Page, written: string, indent: number): string {
  const padding = " ".repeat(indent);
  return written
    .replace(/\n$/, "")
    .split("\n")
    .map((line, index) => (index === 0 || line === "" ? line : padding + line))
    .join(lineEnd);
}

function itemEnd(text: string, item: unknown): number {
  if (!isPair(item)) return contentEnd(text, item);
  const value = item.value;
  if (isNode(value) && value.range !== undefined && value.range?.[0] !== value.range?.[1])
    return contentEnd(text, value);
  return Math.max(colonEnd(text, item), 0);
}

/** Where a node's own bytes end, without the newline that closes a block. */
function contentEnd(text: string, node: unknown): number {
  if ((isMap(node) || isSeq(node)) && node.flow !== true && node.items.length > 0) {
    return itemEnd(text, node.items.at(-1));
  }
  let end = (isNode(node) ? node.range?.[1] : undefined) ?? 0;
  if (isScalar(node) && text[end - 1] === "\n") end -= text[end - 2] === "\r" ? 2 : 1;
  return end;
}

function colonEnd(text: string, pair: Pair): number {
  const keyEnd = (isNode(pair.key) ? pair.key.range?.[1] : undefined) ?? 0;
  const colon = text.indexOf(":", keyEnd);
  return colon === -1 || text.slice(keyEnd, colon).trim() !== "" ? keyEnd : colon + 1;
}

function startOf(item: unknown): number | undefined {
  const node = isPair(item) ? item.key : item;
  return isNode(node) ? node.range?.[0] : undefined;
}

function isInFlow(node: Node): boolean {
  return (isMap(node) || isSeq(node)) && node.flow === true;
}

function column(text: string, offset: number): number {
  const lineStart = text.lastIndexOf("\n", offset - 1) + 1;
  return offset - lineStart - (text[lineStart] === "\uFEFF" ? 1 : 0);
}

function writeDoubleQuoted(value: string): string {
  return writeFlowYaml([value]).startsWith('[ "')
    ? writeFlowYaml([value]).slice(2, -2)
    : JSON.stringify(value);
}

function replace(text: string, from: number, to: number, by: string): string {
  return text.slice(0, from) + by + text.slice(to);
}
