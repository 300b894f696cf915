/** One more member in an object of a JSON text with comments. */
import { applyEdits, createScanner, type Edit, findNodeAtLocation, type Node, parseTree } from "jsonc-parser";

/** jsonc-parser's SyntaxKind.CommaToken: a const enum, which can't be imported where types are erased. */
const commaToken = 5;

/**
 * `text` with `name: value` as the last member of the object at `path`, on lines of its own. Nothing else changes but
 * for a comma after the member before it: jsonc-parser's own `modify` would put its neighbours into another form.
 *
 * @throws Error where there is no object at `path`
 */
export function insertMember(text: string, path: string[], name: string, value: unknown): string {
  const root = parseTree(text, [], { allowTrailingComma: true });
  const object = root === undefined ? undefined : findNodeAtLocation(root, path);
  if (object?.type !== "object") throw new Error(`There is no object at ${path.join(".") || "the top"}.`);
  const form = formOf(text);
  const last = object.children?.at(-1);
  const indent = (last && indentAt(text, last.offset)) ?? form.indent.repeat(path.length + 1);
  const member = `${JSON.stringify(name)}: ${JSON.stringify(value, undefined, form.indent)}`;
  const lines = form.eol + indent + member.replaceAll("\n", form.eol + indent);
  const closing = form.eol + form.indent.repeat(path.length);
  return applyEdits(
    text,
    last === undefined ? first(text, object, lines, closing) : after(text, last, lines, closing),
  );
}

function first(text: string, { offset }: Node, lines: string, closing: string): Edit[] {
  return [insertion(text, offset + 1, lines, closing)];
}

function after(text: string, { offset, length }: Node, lines: string, closing: string): Edit[] {
  const end = offset + length;
  // A comma that trails already, past white space and comments.
  const scanner = createScanner(text, true);
  scanner.setPosition(end);
  if (scanner.scan() === commaToken) {
    return [insertion(text, scanner.getTokenOffset() + 1, lines, closing)];
  }
  return [{ offset: end, length: 0, content: "," }, insertion(text, end, lines, closing)];
}

/** Puts `lines` behind `offset`, past a comment that ends its line; `}` gets a line of its own. */
function insertion(text: string, offset: number, lines: string, closing: string): Edit {
  const comment = /^[ \t]*(?:\/\/[^\r\n]*|(?:\/\*(?:[^*\r\n]|\*(?!\/))*\*\/[ \t]*)*)(?=\r?\n)/.exec(
    text.slice(offset),
  );
  const at = offset + (comment?.[0].length ?? 0);
  const isClosedHere = comment === null && /^[ \t]*\}/.test(text.slice(at));
  return { offset: at, length: 0, content: isClosedHere ? lines + closing : lines };
}

function formOf(text: string): { indent: string; eol: string } {
  return { indent: /^([ \t]+)"/m.exec(text)?.[1] ?? "  ", eol: text.includes("\r\n") ? "\r\n" : "\n" };
}

/** What stands before `offset` on its line, where that is nothing but white space. */
function indentAt(text: string, offset: number): string | undefined {
  return /(?:^|\n)([ \t]*)$/.exec(text.slice(0, offset))?.[1];
}
