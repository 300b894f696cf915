/**
 * YAML as kubectl means it (sigs.k8s.io/yaml), and written so that no other reader means something else by it.
 *
 * Plain scalars follow YAML 1.1 as kubectl has it: `yes` is true, `0755` is 493, `1_000` is 1000, while dates and
 * `12:30:45` stay strings. Where kubectl would lose precision or take what JSON cannot hold, this refuses: integers
 * beyond 2^53, infinities, NaN, keys given twice, tags that are not YAML's own.
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
  type ScalarTag,
  stringify,
  type Tags,
  visit,
} from "yaml";

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
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { ...dialect, lineCounter: lines, keepSourceTokens: true });
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

const sign = "(?:[-+]_*)?";

const boolTag: ScalarTag = {
  tag: "tag:yaml.org,2002:bool",
  default: true,
  identify: (value) => typeof value === "boolean",
  test: /^(?:y|Y|yes|Yes|YES|on|On|ON|true|True|TRUE|n|N|no|No|NO|off|Off|OFF|false|False|FALSE)$/,
  resolve: (text) => /^(?:y|on|true)/i.test(text),
  stringify: ({ value }) => String(value),
};

const nullTag: ScalarTag = {
  tag: "tag:yaml.org,2002:null",
  default: true,
  identify: (value) => value === null,
  test: /^(?:~|null|Null|NULL)?$/,
  resolve: () => null,
  stringify: () => "null",
};

const integerTag: ScalarTag = {
  tag: "tag:yaml.org,2002:int",
  default: true,
  identify: (value) => Number.isInteger(value),
  test: new RegExp(
    `^${sign}(?:0_*[xX][0-9a-fA-F_]*[0-9a-fA-F]_*|0_*[bB][01_]*[01]_*|0_*[oO][0-7_]*[0-7]_*|[0-9][0-9_]*)$`,
  ),
  resolve(text, onError) {
    const digits = text.replaceAll("_", "").replace(/^[-+]/, "");
    const octal = /^0[0-7]+$/.test(digits);
    const value = octal ? BigInt(`0o${digits}`) : BigInt(digits.toLowerCase());
    const number = Number(text.startsWith("-") ? -value : value);
    if (!Number.isSafeInteger(number)) {
      onError(`The integer ${text} is beyond 2^53 and would lose digits; quote it if it is meant as text`);
    }
    return number === 0 ? 0 : number;
  },
  stringify: ({ value }) => String(value),
};

const infinityTag: ScalarTag = {
  tag: "tag:yaml.org,2002:float",
  default: true,
  identify: (value) => typeof value === "number" && !Number.isFinite(value),
  test: /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
  resolve(text, onError) {
    onError(`${text} is no number that JSON can hold; quote it if it is meant as text`);
    return 0;
  },
};

const floatTag: ScalarTag = {
  tag: "tag:yaml.org,2002:float",
  default: true,
  identify: (value) => typeof value === "number",
  test: new RegExp(
    `^(?:\\.[0-9]+|[-+]_*\\.[0-9_]*[0-9]_*|${sign}[0-9][0-9_]*(?:\\.[0-9_]*)?)(?:[eE][-+]?[0-9][0-9_]*)?$`,
  ),
  resolve(text) {
    const value = Number(text.replaceAll("_", ""));
    return Number.isFinite(value) ? value : text;
  },
  stringify: ({ value }) => String(value),
};

/** Characters that a reader may take for a line break or refuse outside of an escape. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones meant
const unsafeCharacters = /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g;

function escaping(string: Tags[number]): ScalarTag {
  const core = string as ScalarTag;
  return {
    ...core,
    stringify(item, ...rest) {
      const text = String(item.value);
      if (text.search(unsafeCharacters) === -1)
        return core.stringify?.(item, ...rest) ?? JSON.stringify(text);
      return JSON.stringify(text).replace(
        unsafeCharacters,
        (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
      );
    },
  };
}

const dialect = {
  version: "1.2",
  schema: "core",
  merge: true,
  uniqueKeys: true,
  logLevel: "silent",
  resolveKnownTags: false,
  customTags: (core: Tags) => [
    ...core.filter((tag) => typeof tag === "object" && /:(?:map|seq)$/.test(tag.tag)),
    ...core.filter((tag) => typeof tag === "object" && tag.tag.endsWith(":str")).map(escaping),
    ...[nullTag, boolTag, integerTag, infinityTag, floatTag],
  ],
} as const satisfies NonNullable<Parameters<typeof parseAllDocuments>[1]> & Parameters<typeof stringify>[2];

const writing = {
  ...dialect,
  merge: false,
  // Strings that YAML 1.1 proper would retype (dates, sexagesimal numbers) are quoted too.
  compat: "yaml-1.1",
  lineWidth: 0,
  aliasDuplicateObjects: false,
} as const;
