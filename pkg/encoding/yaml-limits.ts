/** What the `yaml` package would take minutes to refuse. */
import { Lexer } from "yaml";

/** Shorter texts are refused in good time whatever they hold, so they are not looked at twice. */
const looksAbove = 20_000;
/** How deep flow collections may lie within each other, as for JSON. */
const maxDepth = 1000;
/** What the lexer puts before the text of a scalar. */
const scalarMark = "\u001f";

/**
 * Why `text` can't be parsed, in a few words, where the parser's time would grow with the square of its length: brackets
 * without end, brackets that close nothing, anchors in a row. Undefined for anything else, good or bad.
 */
export function yamlExcess(text: string): string | undefined {
  if (text.length <= looksAbove) return undefined;
  let depth = 0;
  let anchored = false;
  let before = "";
  for (const lexeme of new Lexer().lex(text)) {
    const isScalar = before === scalarMark;
    before = lexeme;
    if (isScalar || lexeme === "" || lexeme[0] === " ") continue;
    if (lexeme === "[" || lexeme === "{") depth += 1;
    else if (lexeme === "]" || lexeme === "}") depth -= 1;
    if (depth > maxDepth) return "exceeded max depth of nesting";
    if (depth < 0) return "a bracket closes nothing";
    const isAnchor = lexeme[0] === "&";
    if (isAnchor && anchored) return "a node can have at most one anchor";
    anchored = isAnchor;
  }
  return undefined;
}
