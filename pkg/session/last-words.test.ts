import { expect, test } from "vitest";
import { endOfLog, lastWords } from "./last-words.ts";

const stack = "Error: x\n".padEnd(900, "    at somewhere (file.ts:1:1)\n");

test("a host that did not start is told of by its last words: its stack was, and its words were cut off", () => {
  const words = lastWords(new Error("transcript.jsonl:4 is damaged. Restore the line."));
  const log = `${stack}${lastWords(new Error("of an earlier start"))}\n${stack}${words}\n`;
  expect(endOfLog(log)).toBe("The session host ended: transcript.jsonl:4 is damaged. Restore the line.");
});

test("one that said nothing is told of by the last lines of its log, as many as fit", () => {
  expect(endOfLog("Killed\n")).toBe("Killed");
  expect(endOfLog("")).toBe("");
  expect(endOfLog(stack)).toHaveLength(700);
  expect(endOfLog(lastWords("x".repeat(2000)))).toHaveLength(700);
});
