/** Whether Go's mail.ParseAddress takes `text`: an address of RFC 5322, alone or in angle brackets after a name. */
export function isEmail(text: string): boolean {
  const rest = skipBlanks(text);
  const bare = addressSpec(rest);
  if (bare !== undefined && skipBlanks(bare) === "") return true;
  const bracket = afterName(rest);
  if (!bracket?.startsWith("<")) return false;
  const inside = addressSpec(skipBlanks(bracket.slice(1)));
  const after = inside === undefined ? "" : skipBlanks(inside);
  return after.startsWith(">") && skipBlanks(after.slice(1)) === "";
}

const word = "[a-z0-9!#$%&'*+\\-/=?^_`{|}~\\u0080-\\uffff]+";
const dottedAtom = new RegExp(`^${word}(\\.${word})*`, "i");
// biome-ignore lint/suspicious/noControlCharactersInRegex: what a quoted string may not hold
const quotedString = /^"([^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"/;

/** What follows `local@domain`; undefined when `text` does not begin with it. */
function addressSpec(text: string): string | undefined {
  const local = take(text, quotedString) ?? take(text, dottedAtom);
  if (local === undefined) return undefined;
  const at = skipBlanks(local);
  if (!at.startsWith("@")) return undefined;
  const domain = skipBlanks(at.slice(1));
  return take(domain, dottedAtom) ?? take(domain, /^\[[\x21-\x5a\x5e-\x7e]*\]/);
}

/** What follows the words of a name, perhaps none. */
function afterName(text: string): string | undefined {
  let rest = text;
  for (;;) {
    const next = take(rest, quotedString) ?? take(rest, new RegExp(`^(${word}|\\.)+`, "i"));
    if (next === undefined) return rest;
    rest = skipBlanks(next);
  }
}

function take(text: string, pattern: RegExp): string | undefined {
  const found = pattern.exec(text)?.[0];
  return found === undefined ? undefined : text.slice(found.length);
}

/** Blanks and comments in brackets. */
function skipBlanks(text: string): string {
  let rest = text.replace(/^[ \t\r\n]+/, "");
  while (rest.startsWith("(")) {
    const comment = /^\([^()\\]*\)[ \t\r\n]*/.exec(rest)?.[0];
    if (comment === undefined) return rest;
    rest = rest.slice(comment.length);
  }
  return rest;
}
