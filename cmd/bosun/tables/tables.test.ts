import { expect, test } from "vitest";
import { ageOf, humanDuration } from "../../../pkg/api/human-duration.ts";
import type { KubeObject } from "../../../pkg/api/meta.ts";
import { columnsOf, headerOf, rowOf } from "./columns.ts";
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
  apiVersion: "bosun.dev/v1alpha1",
  kind: "Project",
  metadata: { name: "a", creationTimestamp: "1970-01-01T00:00:00Z" },
  spec: { tasks: [{ id: "T-1" }, { id: "T-2" }] },
  status: {
    cost: 2.5,
    conditions: [
      { type: "Ready", message: "Good,\n  so far" },
      { type: "Other", message: "Bad" },
    ],
  },
};

test("an item of a list of Events has a cell under each title: it does not say its kind, and its name was shown too", () => {
  const columns = columnsOf("Event", { wide: false });
  const event = { metadata: { name: "retry.1" }, type: "Normal", reason: "Working" } as unknown as KubeObject;
  expect(rowOf("Event", event, columns, 0)).toHaveLength(headerOf("Event", columns).length);
});

test("a row shows what the columns' paths find, on one line", () => {
  const columns = [
    { name: "Task", type: "string", jsonPath: ".spec.tasks[1].id" },
    { name: "Tasks", type: "string", jsonPath: ".spec.tasks" },
    { name: "Status", type: "string", jsonPath: ".status.conditions[?(@.type=='Ready')].message" },
    { name: "Cost", type: "number", jsonPath: ".status.cost" },
    { name: "None", type: "string", jsonPath: ".status.phase.deeper" },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ];
  expect(rowOf("Project", project, columns, 5 * minute)).toEqual([
    "a",
    "T-2",
    '[{"id":"T-1"},{"id":"T-2"}]',
    "Good, so far",
    "2.5",
    "",
    "5m",
  ]);
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
