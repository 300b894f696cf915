import { expect, test } from "vitest";
import { didYouMean } from "./did-you-mean.ts";

test.each([
  ["projcts", ["projects", "agents"], ' Did you mean "projects"?'],
  ["agnet-1", ["agent-1", "agent-2"], ' Did you mean "agent-1"?'],
  ["nothing", ["projects", "agents"], ""],
  ["x", [], ""],
])("%s among %j", (word, candidates, want) => {
  expect(didYouMean(word, candidates)).toBe(want);
});
