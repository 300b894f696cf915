import { expect, test } from "vitest";
import { parseYaml } from "./yaml.ts";
import { parseYamlBody } from "./yaml-body.ts";
import { yamlExcess } from "./yaml-limits.ts";

const bombs = ["[", "{a: ", "]", "}", "&a "].map((piece) => piece.repeat(200_000));

test.each(bombs)(
  "%.6s... is refused before the parser sees it (found by fuzzing: it took up to a minute)",
  (text) => {
    const excess = yamlExcess(text);
    expect(excess).toBeDefined();
    expect(() => parseYamlBody(text)).toThrow(`yaml: ${excess}`);
    expect(parseYaml(text)).toMatchObject({
      valid: false,
      problems: [{ message: expect.stringContaining(String(excess)) }],
    });
  },
);

test("brackets and ampersands in scalars and comments are none", () => {
  const text = `a: "]]]"\nb: 'x'\nc: |\n  ]]] &a &b\nd: x ] & y\n# ]\ne: [${"[1], ".repeat(5_000)}]\n`;
  expect(text.length).toBeGreaterThan(20_000);
  expect(yamlExcess(text)).toBeUndefined();
  expect(parseYaml(text).valid).toBe(true);
});
