import type { ParsedJson } from "./json.ts";

/**
 * Reads JSON text one character at a time, for what `JSON.parse` does not tell: see `parseJson`. Half a surrogate pair
 * becomes U+FFFD.
 *
 * @throws SyntaxError in the words of Go's decoder
 */
export function parseSlowly(text: string, maxDepth: number): ParsedJson {
  return new Parser(text, maxDepth).parse();
}

/** More duplicates than this are not told apart, as in kube-apiserver. */
const maxDuplicates = 100;

class Parser {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #duplicates = new Set<string>();
  readonly #wholeFloats = new Set<string>();
  #at = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  parse(): ParsedJson {
    const value = this.#value("", 0);
    this.#skipBlanks();
    if (this.#at < this.#text.length) throw this.#unexpected("after top-level value");
    return { value, duplicates: [...this.#duplicates], wholeFloats: this.#wholeFloats };
  }

  #value(path: string, depth: number): unknown {
    this.#skipBlanks();
    const char = this.#text[this.#at];
    switch (char) {
      case "{":
        return this.#object(path, depth + 1);
      case "[":
        return this.#list(path, depth + 1);
      case '"':
        return this.#string();
      case "t":
        return this.#literal("true", true);
      case "f":
        return this.#literal("false", false);
      case "n":
        return this.#literal("null", null);
      default:
        if (char !== undefined && /[-0-9]/.test(char)) return this.#number(path);
        throw this.#unexpected("looking for beginning of value");
    }
  }

  #object(path: string, depth: number): Record<string, unknown> {
    this.#enter(depth);
    const object: Record<string, unknown> = {};
    this.#skipBlanks();
    if (this.#text[this.#at] === "}") {
      this.#at++;
      return object;
    }
    for (;;) {
      this.#skipBlanks();
      if (this.#text[this.#at] !== '"') throw this.#unexpected("looking for beginning of object key string");
      const key = this.#string();
      const inner = path === "" ? key : `${path}.${key}`;
      if (Object.hasOwn(object, key) && this.#duplicates.size < maxDuplicates) this.#duplicates.add(inner);
      this.#skipBlanks();
      if (this.#text[this.#at] !== ":") throw this.#unexpected("after object key");
      this.#at++;
      const value = this.#value(inner, depth);
      // Assigned, it would change the prototype.
      if (key === "__proto__") {
        Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
      } else object[key] = value;
      this.#skipBlanks();
      const end = this.#text[this.#at];
      if (end !== "," && end !== "}") throw this.#unexpected("after object key:value pair");
      this.#at++;
      if (end === "}") return object;
    }
  }

  #list(path: string, depth: number): unknown[] {
    this.#enter(depth);
    const list: unknown[] = [];
    this.#skipBlanks();
    if (this.#text[this.#at] === "]") {
      this.#at++;
      return list;
    }
    for (;;) {
      list.push(this.#value(`${path}[${list.length}]`, depth));
      this.#skipBlanks();
      const end = this.#text[this.#at];
      if (end !== "," && end !== "]") throw this.#unexpected("after array element");
      this.#at++;
      if (end === "]") return list;
    }
  }

  #enter(depth: number): void {
    if (depth > this.#maxDepth) throw new SyntaxError("exceeded max depth");
    this.#at++;
  }

  #string(): string {
    const start = this.#at++;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 34) break;
      if (code === 92) this.#escape();
      else if (Number.isNaN(code) || code < 32) throw this.#unexpected("in string literal");
      else this.#at++;
    }
    this.#at++;
    return (JSON.parse(this.#text.slice(start, this.#at)) as string).toWellFormed();
  }

  #escape(): void {
    this.#at++;
    const char = this.#text[this.#at];
    if (char === undefined || !'"\\/bfnrtu'.includes(char)) throw this.#unexpected("in string escape code");
    this.#at++;
    if (char !== "u") return;
    for (let i = 0; i < 4; i++, this.#at++) {
      if (!/^[0-9a-fA-F]$/.test(this.#text[this.#at] ?? "")) {
        throw this.#unexpected("in \\u hexadecimal character escape");
      }
    }
  }

  #number(path: string): number | bigint {
    const start = this.#at;
    if (this.#text[this.#at] === "-") this.#at++;
    if (this.#text[this.#at] === "0") this.#at++;
    else this.#digits("in numeric literal");
    let integer = true;
    if (this.#text[this.#at] === ".") {
      integer = false;
      this.#at++;
      this.#digits("after decimal point in numeric literal");
    }
    if (this.#text[this.#at] === "e" || this.#text[this.#at] === "E") {
      integer = false;
      this.#at++;
      if (this.#text[this.#at] === "+" || this.#text[this.#at] === "-") this.#at++;
      this.#digits("in exponent of numeric literal");
    }
    const source = this.#text.slice(start, this.#at);
    const number = Number(source);
    if (integer) return Number.isSafeInteger(number) ? number : exactInteger(source, number);
    if (!Number.isFinite(number)) {
      throw new SyntaxError(`json: cannot unmarshal number ${source} into Go value of type float64`);
    }
    if (Number.isInteger(number)) this.#wholeFloats.add(path);
    return number;
  }

  #digits(where: string): void {
    const start = this.#at;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (!(code >= 48 && code <= 57)) break;
      this.#at++;
    }
    if (this.#at === start) throw this.#unexpected(where);
  }

  #literal<T>(word: string, value: T): T {
    for (const [i, expected] of [...word].entries()) {
      if (this.#text[this.#at] !== expected) {
        throw this.#unexpected(
          i === 0 ? "looking for beginning of value" : `in literal ${word} (expecting '${expected}')`,
        );
      }
      this.#at++;
    }
    return value;
  }

  #skipBlanks(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      this.#at++;
    }
  }

  #unexpected(where: string): SyntaxError {
    const char = this.#text[this.#at];
    if (char === undefined) return new SyntaxError("unexpected end of JSON input");
    return new SyntaxError(`invalid character ${quotedByte(char)} ${where}`);
  }
}

/** An integer beyond 2^53: exact within 64 bits, else the nearest number. */
function exactInteger(source: string, nearest: number): number | bigint {
  const exact = BigInt(source);
  if (BigInt.asIntN(64, exact) === exact) return exact;
  if (!Number.isFinite(nearest)) {
    throw new SyntaxError(`json: cannot unmarshal number ${source} into Go value of type float64`);
  }
  return nearest;
}

/** The character as Go's decoder shows it: it reads bytes, so of others than ASCII only the first is seen. */
function quotedByte(char: string): string {
  const byte = Buffer.from(char)[0] ?? 0;
  if (char === "'") return "'\\''";
  if (char === '"') return `'"'`;
  if (byte >= 0x80) return `'${String.fromCharCode(byte)}'`;
  const escaped = { 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 92: "\\\\" }[
    byte
  ];
  if (escaped !== undefined) return `'${escaped}'`;
  return byte < 32 || byte === 127 ? `'\\x${byte.toString(16).padStart(2, "0")}'` : `'${char}'`;
}
