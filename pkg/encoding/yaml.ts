/**
 * YAML files as kubectl means them (sigs.k8s.io/yaml), and written so that no other reader means something else by it.
 *
 * Where kubectl would lose precision or take what JSON cannot hold, this refuses: integers beyond 64 bits, infinities,
 * NaN, keys given twice, tags that are not YAML's own.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  stringify,
  visit,
} from "yaml";
import { cyclicAlias } from "./yaml-cycle.ts";
import { yamlDialect } from "./yaml-dialect.ts";
import { yamlExcess } from "./yaml-limits.ts";

export interface YamlProblem {
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
  message: string;
}

export interface YamlDocument {
  /** What kubectl would send, as JSON. */
  value: unknown;
  document: Document.Parsed;
  /** The document's bytes in the text, its `---` line included, as offsets of UTF-16 units. */
  start: number;
  end: number;
  /** Line and column, from 1, of the value at `path`, or of its nearest parent that the text has. */
  position(path: readonly (string | number)[]): { line: number; column: number };
}

export type ParsedYaml =
  | { valid: true; documents: readonly YamlDocument[] }
  | { valid: false; problems: readonly YamlProblem[] };

/** The documents of `text` in order; those that hold nothing but comments are left out. */
export function parseYaml(text: string): ParsedYaml {
  const excess = yamlExcess(text);
  if (excess !== undefined)
    return {
      valid: false,
      problems: [{ line: 1, column: 1, message: `The text can't be read: ${excess}.` }],
    };
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { ...strictDialect, lineCounter: lines, keepSourceTokens: true });
  const all = Array.isArray(parsed) ? parsed : [];
  const problems: YamlProblem[] = [];
  const documents: YamlDocument[] = [];
  let start = 0;
  for (const document of all) {
    for (const found of [...document.errors, ...document.warnings]) {
      const { line, col } = lines.linePos(found.pos[0]);
      problems.push({
        line,
        column: col,
        message: (found.message.split("\n")[0] ?? "").replace(/ at line .*$/, ""),
      });
    }
    const end = document.range[2];
    if (document.contents !== null && problems.length === 0) {
      const value = toJson(document, lines, problems);
      if (value !== undefined && value !== null) {
        documents.push({
          value,
          document,
          start,
          end,
          position: (path) => position(document.contents, path, lines),
        });
      }
    }
    start = end;
  }
  return problems.length > 0 ? { valid: false, problems } : { valid: true, documents };
}

/** `value` in block style, ending with a newline; strings that any dialect would retype are quoted. */
export function writeYaml(value: unknown, { indent = 2, indentSeq = true } = {}): string {
  return stringify(value, { ...writing, indent, indentSeq });
}

/** `value` on one line, in flow style. */
export function writeFlowYaml(value: unknown): string {
  return stringify(value, { ...writing, collectionStyle: "flow" }).replace(/\n$/, "");
}

function toJson(document: Document.Parsed, lines: LineCounter, problems: YamlProblem[]): unknown {
  const cyclic = cyclicAlias(document);
  if (cyclic !== undefined) {
    const { line, col } = lines.linePos(cyclic.range?.[0] ?? document.range[0]);
    problems.push({ line, column: col, message: `The anchor "${cyclic.source}" contains itself.` });
    return undefined;
  }
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    let offset = document.range[0];
    visit(document, {
      Alias(_key, alias) {
        if (alias.resolve(document) !== undefined) return;
        offset = alias.range?.[0] ?? offset;
        return visit.BREAK;
      },
    });
    const { line, col } = lines.linePos(offset);
    problems.push({ line, column: col, message: error instanceof Error ? error.message : String(error) });
    return undefined;
  }
}

function position(root: Node | null, path: readonly (string | number)[], lines: LineCounter) {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) break;
      offset = (isScalar(pair.key) ? pair.key.range?.[0] : undefined) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      if (!isMap(node) && !isScalar(node) && !isSeq(node) && !isAlias(node)) break;
      offset = node.range?.[0] ?? offset;
    } else break;
  }
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

const strictDialect = yamlDialect({ lossy: false });

const writing = {
  ...strictDialect,
  merge: false,
  // Strings that YAML 1.1 proper would retype (dates, sexagesimal numbers) are quoted too.
  compat: "yaml-1.1",
  lineWidth: 0,
  aliasDuplicateObjects: false,
} as const;
