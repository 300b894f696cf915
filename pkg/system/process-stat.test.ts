import { expect, test } from "vitest";
import { parseStat } from "./process-stat.ts";

/** The fields of proc(5): pid, name, state, parent, group, 14 others, threads, one other, start time, and on. */
const stat = (state: string, { name = "node", threads = 1 } = {}): string =>
  `7 (${name}) ${state} 5 6${" 0".repeat(14)} ${threads} 0 4242 0 0\n`;

test.each<{ what: string; text: string; lives: boolean }>([
  { what: "one that sleeps", text: stat("S"), lives: true },
  { what: "one that is suspended", text: stat("T"), lives: true },
  { what: "one that waits to be collected", text: stat("Z"), lives: false },
  {
    what: "one whose first thread has ended, while others go on",
    text: stat("Z", { threads: 2 }),
    lives: true,
  },
  { what: "one that is dead", text: stat("X", { threads: 2 }), lives: false },
  { what: "one that calls itself a zombie", text: stat("R", { name: "a) Z 1 (b" }), lives: true },
])("of $what its file says that it lives: $lives", ({ text, lives }) => {
  const known = { parent: 5, group: 6, startTime: expect.stringMatching(/^[0-9a-f-]{36}\/4242$/) };
  expect(parseStat(text, "/proc/7/stat")).toEqual(lives ? known : undefined);
});

test("a file that holds something else is unknown, not a process that is gone", () => {
  expect(() => parseStat("", "/proc/7/stat")).toThrow("/proc/7/stat has fewer fields than proc(5) says");
});
