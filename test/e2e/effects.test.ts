import { expect, test } from "vitest";
import type { Entry } from "../../pkg/session/transcript.ts";
import { repeatedEffects } from "./effects.ts";

/** The check itself: what it takes for right, and that it finds each kind of wrong. */

const begun = (call: string): Entry => ({ type: "intended", call, tool: "bash" });
const ended = (call: string): Entry => ({ type: "done", call, content: "", isError: false });
const once = [begun("toolu_rehearsal_fix_2_0"), ended("toolu_rehearsal_fix_2_0")];
const asked = [...once, begun("toolu_rehearsal_fix_3_0"), ended("toolu_rehearsal_fix_3_0")];

test.each<[string, Entry[], string[]]>([
  ["each call once", once, ["s fix"]],
  ["a call that was killed before it did anything", once, []],
  ["a step that the model asked for again", asked, ["s fix", "s fix"]],
])("%s is as it must be", (_name, entries, effects) => {
  expect(repeatedEffects([{ session: "s", entries }], effects)).toEqual([]);
});

test.each<[string, Entry[], string[], RegExp]>([
  ["run twice in silence", once, ["s fix", "s fix"], /ran 2 times and was asked for 1/],
  ["run without being written ahead", [], ["s fix"], /ran 1 times and was asked for 0/],
  ["begun twice", [...once, begun("toolu_rehearsal_fix_2_0")], ["s fix"], /made call .* twice/],
  ["answered twice", [...once, ended("toolu_rehearsal_fix_2_0")], ["s fix"], /two results/],
])("a call that is %s is told", (_name, entries, effects, says) => {
  expect(repeatedEffects([{ session: "s", entries }], effects).join("\n")).toMatch(says);
});
