import { Uint } from "../values/uint.ts";
import { unescaped } from "./escapes.ts";

export type Token =
  | { readonly kind: "symbol" | "ident" | "end"; readonly text: string; readonly at: number }
  | { readonly kind: "int" | "uint" | "double"; readonly text: string; readonly at: number }
  | { readonly kind: "string"; readonly text: string; readonly at: number; readonly value: string }
  | { readonly kind: "bytes"; readonly text: string; readonly at: number; readonly value: Uint8Array };

/** Thrown at the first place that is no CEL. `at` is an index into the source's code points. */
export class SyntaxIssue extends Error {
  override readonly name = "SyntaxIssue";
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** Longest first. */
const symbols = /==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()[\]{}]/y;
const blank = /(?:[\t \r\n\f]|\/\/[^\n]*)+/y;
const word = /[A-Za-z_][A-Za-z0-9_]*/y;
const number = /0x[0-9a-fA-F]+[uU]?|(?:\d+\.\d+|\.\d+)(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|\d+[uU]?/y;
const text =
  /[bB]?(?:"""[^\\]*?(?:\\.[^\\]*?)*?"""|'''[^\\]*?(?:\\.[^\\]*?)*?'''|"(?:[^\\"\n\r]|\\[^\n\r])*"|'(?:[^\\'\n\r]|\\[^\n\r])*')/sy;
/** In a raw string a backslash is itself, and so cannot keep a quote from ending it. */
const rawText = /[bB]?[rR](?:""".*?"""|'''.*?'''|"[^"\n\r]*"|'[^'\n\r]*')/sy;

/** The tokens of an expression, the last of kind `end`. Throws SyntaxIssue. */
export function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  const codePoint = codePoints(source);
  let pos = 0;
  while (true) {
    pos += lengthAt(blank, source, pos);
    const at = codePoint(pos);
    if (pos >= source.length) return [...tokens, { kind: "end", text: "<EOF>", at }];
    const token = read(source, pos, at);
    tokens.push(token);
    pos += token.text.length;
  }
}

function read(source: string, pos: number, at: number): Token {
  const quoted = lengthAt(rawText, source, pos) || lengthAt(text, source, pos);
  if (quoted > 0) return readText(source.slice(pos, pos + quoted), at);
  const digits = lengthAt(number, source, pos);
  if (digits > 0) return readNumber(source.slice(pos, pos + digits), at);
  const letters = lengthAt(word, source, pos);
  if (letters > 0) return { kind: "ident", text: source.slice(pos, pos + letters), at };
  const signs = lengthAt(symbols, source, pos);
  if (signs > 0) return { kind: "symbol", text: source.slice(pos, pos + signs), at };
  const char = String.fromCodePoint(source.codePointAt(pos) ?? 0);
  throw new SyntaxIssue(at, `Syntax error: token recognition error at: '${char}'`);
}

function readNumber(digits: string, at: number): Token {
  if (/[uU]$/.test(digits)) return { kind: "uint", text: digits, at };
  if (!digits.startsWith("0x") && /[.eE]/.test(digits)) return { kind: "double", text: digits, at };
  return { kind: "int", text: digits, at };
}

function readText(quoted: string, at: number): Token {
  const prefix = /^[rRbB]*/.exec(quoted)?.[0].toLowerCase() ?? "";
  const body = quoted.slice(prefix.length).replaceAll("\r\n", "\n").replaceAll("\r", "\n");
  const marks = body.startsWith('"""') || body.startsWith("'''") ? 3 : 1;
  const inner = body.slice(marks, -marks);
  const raw = prefix.includes("r");
  try {
    if (!prefix.includes("b")) {
      return { kind: "string", text: quoted, at, value: raw ? inner : unescaped(inner) };
    }
    const value = raw ? new TextEncoder().encode(inner) : unescaped(inner, "bytes");
    return { kind: "bytes", text: quoted, at, value };
  } catch (error) {
    throw new SyntaxIssue(at, (error as Error).message);
  }
}

function lengthAt(pattern: RegExp, source: string, pos: number): number {
  pattern.lastIndex = pos;
  return pattern.exec(source)?.[0].length ?? 0;
}

/** Turns indexes of UTF-16 units, asked for in rising order, into indexes of code points. */
function codePoints(source: string): (pos: number) => number {
  let [seen, count] = [0, 0];
  return (pos) => {
    while (seen < pos) {
      seen += (source.codePointAt(seen) ?? 0) > 0xffff ? 2 : 1;
      count++;
    }
    return count;
  };
}

/** The value of an int literal, sign included; undefined when it does not fit. */
export function intValue(digits: string, negative: boolean): bigint | undefined {
  const value = negative ? -BigInt(digits) : BigInt(digits);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

export function uintValue(digits: string): Uint | undefined {
  const value = BigInt(digits.slice(0, -1));
  return BigInt.asUintN(64, value) === value ? new Uint(value) : undefined;
}
