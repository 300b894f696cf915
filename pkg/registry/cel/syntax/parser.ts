import type { Call, MapEntry, Node } from "./ast.ts";
import { intValue, SyntaxIssue, type Token, tokenize, uintValue } from "./lexer.ts";
import { expandMacro } from "./macros.ts";
import { SourceError } from "./source-error.ts";

/** As in cel-go: what is longer, or nested deeper, is refused. */
const maxCodePoints = 100_000;
const maxDepth = 250;

/**
 * The syntax tree of a CEL expression, macros expanded.
 *
 * Nodes stand where cel-go says they do (a call at its bracket, an operator at its sign), so that messages
 * point at the same column. Unlike there the first syntax error is the only one told.
 *
 * @throws SourceError
 */
export function parse(source: string): Node {
  try {
    const length = [...source].length;
    if (length > maxCodePoints) {
      const why = `expression code point size exceeds limit: size: ${length}, limit ${maxCodePoints}`;
      throw new SyntaxIssue(0, why);
    }
    return new Parser(tokenize(source)).parse();
  } catch (error) {
    if (error instanceof SyntaxIssue)
      throw new SourceError(source, [{ at: error.at, message: error.message }]);
    throw error;
  }
}

const reserved = new Set(
  `as break const continue else false for function if import in let loop package namespace null return
   true var void while`.split(/\s+/),
);
/** Words that are tokens of their own, and so cannot even be a field's name. */
const literalWords = new Set(["true", "false", "null", "in"]);

const operators = {
  relation: new Set(["<", "<=", ">=", ">", "==", "!=", "in"]),
  sum: new Set(["+", "-"]),
  product: new Set(["*", "/", "%"]),
};

class Parser {
  readonly #tokens: readonly Token[];
  #pos = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Node {
    const node = this.#expression();
    if (this.#peek().kind !== "end") throw this.#unexpected("<EOF>", ({ kind }) => kind === "end");
    return node;
  }

  #expression(): Node {
    return this.#nested(() => {
      const condition = this.#either();
      const at = this.#peek().at;
      if (!this.#take("?")) return condition;
      const then = this.#either();
      this.#need(":");
      return call(at, "_?_:_", [condition, then, this.#expression()]);
    });
  }

  #either(): Node {
    return this.#logical("||", "_||_", () => this.#logical("&&", "_&&_", () => this.#relation()));
  }

  /** `a && b && c` is one call with all terms: the same meaning as a tree of pairs, and no deeper for being longer. */
  #logical(symbol: string, name: string, operand: () => Node): Node {
    const terms = [operand()];
    const { at } = this.#peek();
    while (this.#take(symbol)) terms.push(operand());
    return terms.length === 1 ? (terms[0] as Node) : call(at, name, terms);
  }

  #relation(): Node {
    return this.#binary(operators.relation, () =>
      this.#binary(operators.sum, () => this.#binary(operators.product, () => this.#unary())),
    );
  }

  #binary(symbols: ReadonlySet<string>, operand: () => Node): Node {
    const depth = this.#depth;
    let left = operand();
    while (this.#isOperator(symbols)) {
      const { at, text } = this.#next();
      this.#deeper(at);
      left = call(at, text === "in" ? "@in" : `_${text}_`, [left, operand()]);
    }
    this.#depth = depth;
    return left;
  }

  #isOperator(symbols: ReadonlySet<string>): boolean {
    const { kind, text } = this.#peek();
    return (kind === "symbol" || (kind === "ident" && text === "in")) && symbols.has(text);
  }

  #unary(): Node {
    const { at, text } = this.#peek();
    if (text === "!" || text === "-") {
      // A minus before a number is the number's sign.
      if (text === "-" && isNumber(this.#tokens[this.#pos + 1])) return this.#member();
      let count = 0;
      while (this.#take(text)) count++;
      const operand = this.#member();
      return count % 2 === 0 ? operand : call(at, text === "!" ? "!_" : "-_", [operand]);
    }
    return this.#member();
  }

  #member(): Node {
    const depth = this.#depth;
    let node = this.#primary();
    while (true) {
      const { at, kind, text } = this.#peek();
      if (kind !== "symbol" || (text !== "." && text !== "[")) break;
      this.#next();
      this.#deeper(at);
      const optional = this.#take("?");
      if (text === "[") {
        const index = this.#expression();
        this.#need("]");
        node = call(at, optional ? "_[?_]" : "_[_]", [node, index]);
        continue;
      }
      const field = this.#fieldName();
      if (optional) {
        const name: Node = { kind: "literal", at: field.at, value: field.text };
        node = call(at, "_?._", [node, name]);
      } else if (this.#peek().text === "(" && this.#peek().kind === "symbol") {
        const open = this.#next().at;
        node = expandMacro(call(open, field.text, this.#arguments(), node));
      } else {
        node = { kind: "select", at, operand: node, field: field.text, test: false };
      }
    }
    this.#depth = depth;
    return node;
  }

  #primary(): Node {
    const token = this.#next();
    const { at } = token;
    switch (token.kind) {
      case "string":
      case "bytes":
        return { kind: "literal", at, value: token.value };
      case "int":
      case "uint":
      case "double":
        return numberOf(token, at, false);
      case "ident":
        return this.#named(token, "");
      case "symbol":
        return this.#symbolic(token);
      default:
        throw this.#noOperand(token);
    }
  }

  #symbolic(token: Token): Node {
    const { at, text } = token;
    switch (text) {
      case "(": {
        const inner = this.#expression();
        this.#need(")");
        return inner;
      }
      case "[":
        return this.#list(at);
      case "{":
        return this.#map(at);
      case "-": {
        const number = this.#next();
        if (isNumber(number)) return numberOf(number, at, true);
        throw this.#noOperand(number);
      }
      case ".": {
        const name = this.#next();
        if (name.kind === "ident" && !literalWords.has(name.text)) return this.#named(name, ".");
        throw this.#noName(name);
      }
      default:
        throw this.#noOperand(token);
    }
  }

  #named({ at, text }: Token, dot: "" | "."): Node {
    if (dot === "") {
      if (text === "true" || text === "false") return { kind: "literal", at, value: text === "true" };
      if (text === "null") return { kind: "literal", at, value: null };
    }
    if (reserved.has(text)) throw new SyntaxIssue(at, `reserved identifier: ${text}`);
    if (this.#peek().text === "(" && this.#peek().kind === "symbol") {
      const open = this.#next().at;
      return expandMacro(call(open, `${dot}${text}`, this.#arguments()));
    }
    const structure = this.#structName(text);
    if (structure !== undefined) return structure;
    return { kind: "ident", at, name: `${dot}${text}` };
  }

  /** `some.Type{field: 1}`: CEL has it, CRDs have no types that could be made so. */
  #structName(first: string): Node | undefined {
    let ahead = this.#pos;
    const parts = [first];
    while (this.#tokens[ahead]?.text === "." && this.#tokens[ahead + 1]?.kind === "ident") {
      parts.push(this.#tokens[ahead + 1]?.text ?? "");
      ahead += 2;
    }
    const open = this.#tokens[ahead];
    if (open?.kind !== "symbol" || open.text !== "{") return undefined;
    this.#pos = ahead + 1;
    while (!this.#take("}")) {
      this.#take("?");
      this.#fieldName();
      this.#need(":");
      this.#expression();
      if (!this.#take(",") && this.#peek().text !== "}") this.#need("}");
    }
    return { kind: "struct", at: open.at, name: parts.join(".") };
  }

  #list(at: number): Node {
    const elements: Node[] = [];
    const optionals = new Set<number>();
    while (!this.#take("]")) {
      if (this.#take("?")) optionals.add(elements.length);
      elements.push(this.#expression());
      if (this.#take(",")) continue;
      this.#need("]");
      break;
    }
    return { kind: "list", at, elements, optionals };
  }

  #map(at: number): Node {
    const entries: MapEntry[] = [];
    while (!this.#take("}")) {
      const optional = this.#take("?");
      const key = this.#expression();
      this.#need(":");
      entries.push({ key, value: this.#expression(), optional });
      if (this.#take(",")) continue;
      this.#need("}");
      break;
    }
    return { kind: "map", at, entries };
  }

  /** Up to and with the closing bracket; the opening one is taken. */
  #arguments(): readonly Node[] {
    const args: Node[] = [];
    if (this.#take(")")) return args;
    do args.push(this.#expression());
    while (this.#take(","));
    this.#need(")");
    return args;
  }

  #fieldName(): Token {
    const token = this.#next();
    if (token.kind === "ident" && !literalWords.has(token.text)) return token;
    throw this.#noName(token);
  }

  #nested(parse: () => Node): Node {
    const depth = this.#depth;
    this.#deeper(this.#peek().at);
    const node = parse();
    this.#depth = depth;
    return node;
  }

  #deeper(at: number): void {
    if (++this.#depth > maxDepth) throw new SyntaxIssue(at, "Internal error: max recursion depth exceeded");
  }

  #peek(): Token {
    return this.#tokens[this.#pos] as Token;
  }

  #next(): Token {
    const token = this.#peek();
    if (token.kind !== "end") this.#pos++;
    return token;
  }

  #take(symbol: string): boolean {
    const { kind, text } = this.#peek();
    if (kind !== "symbol" || text !== symbol) return false;
    this.#pos++;
    return true;
  }

  #need(symbol: string): void {
    if (!this.#take(symbol)) throw this.#unexpected(`'${symbol}'`, ({ text }) => text === symbol);
  }

  /** @param token - the one just taken; the end is never really taken */
  #noOperand(token: Token): SyntaxIssue {
    if (token.kind !== "end") this.#pos--;
    return this.#unexpected(expectedOperand, startsOperand);
  }

  #noName(token: Token): SyntaxIssue {
    if (token.kind !== "end") this.#pos--;
    return this.#unexpected("IDENTIFIER", () => false);
  }

  /** In ANTLR's words: a token is extraneous when what follows it is as expected. */
  #unexpected(expected: string, fits: (token: Token) => boolean): SyntaxIssue {
    const { at, text } = this.#peek();
    const following = this.#tokens[this.#pos + 1];
    const what = following !== undefined && fits(following) ? "extraneous" : "mismatched";
    return new SyntaxIssue(at, `Syntax error: ${what} input '${text}' expecting ${expected}`);
  }
}

const expectedOperand =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

function startsOperand({ kind, text }: Token): boolean {
  return kind === "symbol" ? ["[", "{", "(", ".", "-", "!"].includes(text) : kind !== "end" && text !== "in";
}

function call(at: number, name: string, args: readonly Node[], target?: Node): Call {
  return { kind: "call", at, name, target, args };
}

function isNumber(token: Token | undefined): token is Token & { kind: "int" | "double" } {
  return token?.kind === "int" || token?.kind === "double";
}

function numberOf({ kind, text }: Token, at: number, negative: boolean): Node {
  if (kind === "double") {
    return { kind: "literal", at, value: negative ? -Number(text) : Number(text) };
  }
  const value = kind === "uint" ? uintValue(text) : intValue(text, negative);
  if (value === undefined) throw new SyntaxIssue(at, `invalid ${kind} literal`);
  return { kind: "literal", at, value };
}
