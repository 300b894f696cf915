import { expect, test } from "vitest";
import { parseAst } from "vitest/node";
import { importsOf, impureUses, type Node } from "./purity.ts";

const parsed = (text: string) => parseAst(text, { lang: "ts" }) as unknown as Node;
const used = (text: string) => impureUses(parsed(text)).map(({ what }) => what);

test.each([
  ["const now = Date.now();", "Date.now"],
  ["const now = new Date();", "new Date()"],
  ["setTimeout(() => {}, 10);", "setTimeout"],
  ["const wait = globalThis.later ?? setInterval;", "setInterval"],
  ["const share = Math.random() * 2;", "Math.random"],
  ["const id = crypto.randomUUID();", "crypto"],
  ["const home = process.env.HOME;", "process"],
  ["const signal = AbortSignal.timeout(10);", "AbortSignal.timeout"],
  ["const { setTimeout: later } = { setTimeout };", "setTimeout"],
])("%s is found", (text, want) => {
  expect(used(text)).toEqual([want]);
});

test.each([
  "const at = new Date(ms).toISOString();",
  "const clock = { now: () => 1, setTimeout() { return 2; } };",
  "host.process.pid; plan.crypto;",
  "// Date.now() in a comment, 'Math.random()' in a string\nconst text = 'process.exit';",
  "interface Seen { process: number }",
  "function run(process: Host) {}",
])("%s is no use", (text) => {
  expect(used(text)).toEqual([]);
});

test("static, dynamic, type and re-exporting imports are all seen", () => {
  const sources = importsOf(
    parsed(`import a from "./a.ts"; import type { B } from "./b.ts"; export * from "./c.ts"; export { d } from "./d.ts";
            const e = await import("./e.ts"); type F = import("./f.ts").F;`),
  );
  expect(sources.map(({ source }) => source)).toEqual([
    "./a.ts",
    "./b.ts",
    "./c.ts",
    "./d.ts",
    "./e.ts",
    "./f.ts",
  ]);
});
