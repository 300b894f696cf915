import { expect, test } from "vitest";
import { linesOf } from "./lines.ts";

test.each<[name: string, text: string, want: string[]]>([
  ["lines", "a\nb\n", ["a", "b"]],
  ["empty lines are none", "a\n\nb\n", ["a", "b"]],
  ["half a line at the end is dropped", "a\nb", ["a"]],
  ["characters of several bytes", "äöü\n✓\n", ["äöü", "✓"]],
  ["nothing", "", []],
])("%s, however the bytes are cut", async (_name, text, want) => {
  const bytes = Buffer.from(text);
  for (const size of [1, 2, 3, bytes.length + 1]) {
    const pieces = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    };
    expect(await Array.fromAsync(linesOf(pieces()))).toEqual(want);
  }
});
