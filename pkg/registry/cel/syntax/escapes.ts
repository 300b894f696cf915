const simple: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
  "`": "`",
  "?": "?",
};

const escapes =
  /\\(?:([abfnrtv\\'"`?])|[xX]([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|.?)/gs;

/** The text that a literal between its quotes stands for. Throws Error on an escape that CEL does not have. */
export function unescaped(literal: string): string;
/** Of a bytes literal: `\x` and octal escapes are bytes there, everything else is UTF-8. */
export function unescaped(literal: string, as: "bytes"): Uint8Array;
export function unescaped(literal: string, as?: "bytes"): string | Uint8Array {
  const parts: (string | number)[] = [];
  let last = 0;
  for (const match of literal.matchAll(escapes)) {
    parts.push(literal.slice(last, match.index));
    last = match.index + match[0].length;
    const [, char, hex, octal, short, long] = match;
    if (char !== undefined) parts.push(simple[char] ?? "");
    else if (hex !== undefined) parts.push(Number.parseInt(hex, 16));
    else if (octal !== undefined) parts.push(Number.parseInt(octal, 8));
    else if ((short ?? long) !== undefined && as !== "bytes") parts.push(character(short ?? long ?? ""));
    else throw new Error("unable to unescape string");
  }
  parts.push(literal.slice(last));
  if (as === undefined) {
    return parts.map((part) => (typeof part === "number" ? String.fromCodePoint(part) : part)).join("");
  }
  return Buffer.concat(
    parts.map((part) => (typeof part === "number" ? Uint8Array.of(part) : new TextEncoder().encode(part))),
  );
}

function character(hex: string): string {
  const code = Number.parseInt(hex, 16);
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw new Error("invalid unicode code point");
  return String.fromCodePoint(code);
}
