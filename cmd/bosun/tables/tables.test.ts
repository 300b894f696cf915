import { expect, test } from "vitest";
import { ageOf, humanDuration } from "../../../pkg/api/human-duration.ts";
import { valueAt } from "./json-path.ts";
import { layout } from "./layout.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

test.each([
  [-5 * second, "<invalid>"],
  [-500, "0s"],
  [0, "0s"],
  [119 * second, "119s"],
  [2 * minute, "2m"],
  [2 * minute + 5 * second, "2m5s"],
  [10 * minute, "10m"],
  [179 * minute, "179m"],
  [3 * hour, "3h"],
  [7 * hour + 59 * minute, "7h59m"],
  [47 * hour, "47h"],
  [2 * day + 3 * hour, "2d3h"],
  [8 * day, "8d"],
  [800 * day, "2y70d"],
  [4000 * day, "10y"],
])("%d ms is %s, as kubectl has it", (ms, want) => {
  expect(humanDuration(ms)).toBe(want);
});

test("an age without a time is unknown", () => {
  expect(ageOf(undefined, 0)).toBe("<unknown>");
});

const project = {
  metadata: { name: "a" },
  spec: { tasks: [{ id: "T-1" }, { id: "T-2" }] },
  status: {
    conditions: [
      { type: "Ready", reason: "Good" },
      { type: "Other", reason: "Bad" },
    ],
  },
};

test.each([
  [".metadata.name", "a"],
  [".spec.tasks[1].id", "T-2"],
  [".status.conditions[?(@.type=='Other')].reason", "Bad"],
  ['.status.conditions[?(@.type=="Ready")].reason', "Good"],
  [".status.conditions[?(@.type=='Missing')].reason", undefined],
  [".status.phase.deeper", undefined],
  [".spec.constructor", undefined],
])("%s finds %s", (path, want) => {
  expect(valueAt(project, path)).toBe(want);
});

test("a path that isn't understood says where", () => {
  expect(() => valueAt(project, ".spec.tasks[*].id")).toThrow('from "[*].id" on');
});

test("columns are three spaces apart and nothing stands behind the last", () => {
  expect(
    layout([
      ["NAME", "AGE"],
      ["retry", ""],
      ["a", "5s"],
    ]),
  ).toEqual(["NAME    AGE", "retry", "a       5s"]);
});
