import { expect, test } from "vitest";
import type { MessageParam } from "./blocks.ts";
import { cutMiddle, withCacheMark, withinContext } from "./bounds.ts";

const result = (id: number, size: number): MessageParam => ({
  role: "user",
  content: [{ type: "tool_result", tool_use_id: `call_${id}`, content: "x".repeat(size), is_error: false }],
});
const call = (id: number): MessageParam => ({
  role: "assistant",
  content: [{ type: "tool_use", id: `call_${id}`, name: "bash", input: {} }],
});
const talk = (turns: number, size: number) =>
  Array.from({ length: turns }, (_, id) => [call(id), result(id, size)]).flat();
const sizeOf = (value: unknown) => JSON.stringify(value).length;

test.each([
  ["text within the limit stays", "abc", 3, "abc"],
  ["of longer text the ends stay", "abcdefghij", 4, "ab\n[... 6 characters left out ...]\nij"],
])("%s", (_name, text, limit, want) => {
  expect(cutMiddle(text, limit)).toBe(want);
});

test("messages below the limit stay as they are", () => {
  expect(withinContext(talk(3, 100), 10_000)).toEqual(talk(3, 100));
});

test("above the limit the oldest results are cleared, and every call keeps a result", () => {
  const messages = withinContext(talk(20, 1000), 10_000);
  expect(sizeOf(messages)).toBeLessThan(10_000);
  expect(messages).toHaveLength(40);
  expect(JSON.stringify(messages[1])).toContain("removed to keep the context small");
  expect(messages.at(-1)).toEqual(result(19, 1000));
});

test("between two clearings earlier messages do not change, so that the cache holds", () => {
  let changes = 0;
  for (let turns = 2; turns <= 40; turns++) {
    const before = withinContext(talk(turns - 1, 1000), 20_000);
    const after = withinContext(talk(turns, 1000), 20_000).slice(0, before.length);
    if (JSON.stringify(before) !== JSON.stringify(after)) changes += 1;
  }
  expect(changes).toBeGreaterThan(0);
  expect(changes).toBeLessThan(6);
});

test("the end of the last message is marked for the cache, and nothing else", () => {
  const marked = withCacheMark(talk(2, 10));
  expect(JSON.stringify(marked).match(/cache_control/g)).toHaveLength(1);
  expect(marked.at(-1)?.content).toMatchObject([{ cache_control: { type: "ephemeral" } }]);
});
