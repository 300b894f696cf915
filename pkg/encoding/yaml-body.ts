import { isMap, isScalar, LineCounter, type Node, parseAllDocuments, visit } from "yaml";
import { parseJson } from "./json.ts";
import { cyclicAlias } from "./yaml-cycle.ts";
import { yamlDialect } from "./yaml-dialect.ts";
import { yamlExcess } from "./yaml-limits.ts";

export interface ParsedYamlBody {
  /** The first document, as JSON. */
  readonly value: unknown;
  /** Keys that came again in the same map, as Go's YAML says it: `line 6: key "color" already set in map`. */
  readonly duplicates: readonly string[];
}

/** What Go's YAML says of the commonest mistakes. */
const goWords: readonly (readonly [RegExp, string])[] = [
  [/^Flow sequence /, "did not find expected ',' or ']'"],
  [/^Flow map /, "did not find expected ',' or '}'"],
  [/^Nested mappings are not allowed/, "mapping values are not allowed in this context"],
  [/^(Tabs are not allowed|Plain value cannot start with)/, "found character that cannot start any token"],
  [/^Missing closing ['"]quote/, "found unexpected end of stream"],
  [/^Invalid escape sequence/, "found unknown escape character"],
  [/^All mapping items must/, "did not find expected key"],
  [/^(Implicit keys need|Implicit map keys need)/, "could not find expected ':'"],
];

/**
 * Reads YAML as kube-apiserver does a request's body: the last of equal keys holds, an integer beyond 64 bits is the
 * nearest number, documents after the first are ignored.
 *
 * @throws SyntaxError `yaml: line 2: ...`
 */
export function parseYamlBody(text: string): ParsedYamlBody {
  return parsedAsJson(text) ?? parsedAsYaml(text);
}

/** kubectl and client-go send JSON as YAML, and this reads it a hundred times faster. */
function parsedAsJson(text: string): ParsedYamlBody | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  try {
    const { value, duplicates } = parseJson(text);
    return duplicates.length === 0 ? { value, duplicates: [] } : undefined;
  } catch {
    // No JSON, so it is YAML's flow style, or wrong in both.
    return undefined;
  }
}

function parsedAsYaml(text: string): ParsedYamlBody {
  const excess = yamlExcess(text);
  if (excess !== undefined) throw new SyntaxError(`yaml: ${excess}`);
  const lines = new LineCounter();
  const parsed = parsing(() =>
    parseAllDocuments(text, { ...yamlDialect({ lossy: true }), lineCounter: lines, keepSourceTokens: false }),
  );
  const [document] = Array.isArray(parsed) ? parsed : [];
  if (document === undefined) return { value: null, duplicates: [] };
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) {
    const ours = (problem.message.split("\n")[0] ?? "").replace(/ at line .*$/, "");
    const what = goWords.find(([pattern]) => pattern.test(ours))?.[1] ?? ours;
    throw new SyntaxError(`yaml: line ${lines.linePos(problem.pos[0]).line}: ${what}`);
  }
  const cyclic = cyclicAlias(document);
  if (cyclic !== undefined) throw new SyntaxError(`yaml: anchor '${cyclic.source}' value contains itself`);
  const value: unknown = parsing(() => document.toJS({ maxAliasCount: 100 }));
  return { value, duplicates: duplicatesOf(document.contents, lines) };
}

/** What the `yaml` package throws, it throws at what the text holds: aliases without end, a nesting without end. */
function parsing<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw new SyntaxError("yaml: exceeded max depth of nesting");
    if (error instanceof ReferenceError) {
      const anchor = /^Unresolved alias .*: (.*)$/.exec(error.message)?.[1];
      throw new SyntaxError(
        `yaml: ${anchor === undefined ? error.message : `unknown anchor '${anchor}' referenced`}`,
      );
    }
    throw error;
  }
}

function duplicatesOf(contents: Node | null, lines: LineCounter): string[] {
  const found: { at: number; text: string }[] = [];
  if (contents === null) return [];
  visit(contents, {
    Map(_key, map) {
      if (!isMap(map)) return;
      const seen = new Set<unknown>();
      for (const { key, value } of map.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) {
          // Go counts the line of the value.
          const at = (value as Node | null)?.range?.[0] ?? key.range?.[0] ?? 0;
          const shown = typeof key.value === "string" ? JSON.stringify(key.value) : String(key.value);
          found.push({ at, text: `line ${lines.linePos(at).line}: key ${shown} already set in map` });
        }
        seen.add(key.value);
      }
    },
  });
  return found.sort((a, b) => a.at - b.at).map(({ text }) => text);
}
