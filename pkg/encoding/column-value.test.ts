import { expect, test } from "vitest";
import { columnValue } from "./column-value.ts";
import { compileJsonPath } from "./json-path.ts";

const object = {
  text: "a <b>",
  none: null,
  whole: 7,
  half: 2.5,
  tiny: 0.00001,
  wide: 9007199254740993n,
  yes: true,
  list: ["x", { b: 1, a: "<&>" }],
  map: { z: 1, y: [2] },
  time: "2026-01-02T03:04:05Z",
  soon: "soon",
  many: [{ v: 1 }, { v: 2 }],
};

test.each<{ path: string; type: string; want: unknown }>([
  { path: ".text", type: "string", want: "a <b>" },
  { path: ".none", type: "string", want: "<no value>" },
  { path: ".missing", type: "string", want: null },
  { path: ".whole", type: "string", want: "7" },
  { path: ".half", type: "string", want: "2.5" },
  { path: ".tiny", type: "string", want: "1e-05" },
  { path: ".wide", type: "string", want: "9007199254740993" },
  { path: ".wide", type: "integer", want: 9007199254740993n },
  { path: ".wide", type: "number", want: 9007199254740992 },
  { path: ".yes", type: "string", want: "true" },
  { path: ".list", type: "string", want: '["x",{"a":"\\u003c\\u0026\\u003e","b":1}]' },
  { path: ".map", type: "string", want: '{"y":[2],"z":1}' },
  { path: ".many[*].v", type: "string", want: "1" },
  { path: ".text[0]", type: "string", want: null },
  { path: ".whole", type: "integer", want: 7 },
  { path: ".half", type: "integer", want: 2 },
  { path: ".text", type: "integer", want: null },
  { path: ".none", type: "integer", want: null },
  { path: ".half", type: "number", want: 2.5 },
  { path: ".yes", type: "boolean", want: true },
  { path: ".text", type: "boolean", want: null },
  { path: ".time", type: "date", want: "ago 2026-01-02T03:04:05Z" },
  { path: ".soon", type: "date", want: "<invalid>" },
  { path: ".whole", type: "date", want: null },
  { path: ".text", type: "chart", want: null },
])("$path as $type is $want", ({ path, type, want }) => {
  expect(columnValue(object, compileJsonPath(path), type, (time) => `ago ${time}`)).toEqual(want);
});
