import { expect, test } from "vitest";
import { parseYaml } from "./yaml.ts";
import { parseYamlBody } from "./yaml-body.ts";
import { yamlExcess } from "./yaml-limits.ts";

const bombs = ["[", "{a: ", "]", "}", "&a "].map((piece) => piece.repeat(200_000));

test.each(bombs)("%.6s... is refused in a second (found by fuzzing: it took up to a minute)", (text) => {
  const startMs = performance.now();
  expect(() => parseYamlBody(text)).toThrow(/^yaml: /);
  expect(parseYaml(text).valid).toBe(false);
  expect(performance.now() - startMs).toBeLessThan(4_000);
});

test("brackets and ampersands in scalars and comments are none", () => {
  const text = `a: "]]]"\nb: 'x'\nc: |\n  ]]] &a &b\nd: x ] & y\n# ]\ne: [${"[1], ".repeat(5_000)}]\n`;
  expect(text.length).toBeGreaterThan(20_000);
  expect(yamlExcess(text)).toBeUndefined();
  expect(parseYaml(text).valid).toBe(true);
});
