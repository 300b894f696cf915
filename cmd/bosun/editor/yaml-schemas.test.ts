import fc from "fast-check";
import { parse } from "jsonc-parser";
import { expect, test } from "vitest";
import { addYamlSchemas, settingsLines } from "./yaml-schemas.ts";

const schema = ".claude-sessions/.bosun/schemas/bosun.json";
const files = [".claude-sessions/**/*.yaml", ".claude-sessions/**/*.yml"];
const entry = { [schema]: files };

function added(before: string | undefined): string {
  const edit = addYamlSchemas(before);
  if (edit.is !== "added") throw new Error(`Not added, but ${edit.is}.`);
  return edit.text;
}

test.each([[undefined], [""], ["  \n"]])(
  "settings that are not there or say nothing (%j) become our lines",
  (before) => {
    expect(added(before)).toBe(`${settingsLines()}\n`);
    expect(JSON.parse(settingsLines())).toEqual({ "yaml.schemas": entry });
  },
);

test("comments, order and form of a person's settings stay to the character", () => {
  const before = `// Ours.
{
    "editor.tabSize": 4, // wide
    /* schemas */
    "yaml.schemas": {
        "https://example.com/ci.json": ["ci/*.yaml"], // CI
    },
    "files.eol": "\\n",   "a":   [1,2]
}
`;
  expect(added(before)).toBe(`// Ours.
{
    "editor.tabSize": 4, // wide
    /* schemas */
    "yaml.schemas": {
        "https://example.com/ci.json": ["ci/*.yaml"], // CI
        ".claude-sessions/.bosun/schemas/bosun.json": [
            ".claude-sessions/**/*.yaml",
            ".claude-sessions/**/*.yml"
        ]
    },
    "files.eol": "\\n",   "a":   [1,2]
}
`);
});

test("tabs, Windows line ends and a byte order mark stay", () => {
  const after = added('\uFEFF{\r\n\t"editor.tabSize": 8\r\n}\r\n');
  expect(after.startsWith('\uFEFF{\r\n\t"editor.tabSize": 8,\r\n\t"yaml.schemas": {\r\n\t\t"')).toBe(true);
  expect(after.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
});

test.each<[string, string, object]>([
  ["our entry", `{"yaml.schemas": {"${schema}": ["mine/*.yaml"]}}`, { is: "there" }],
  ["our entry with ./", `{"yaml.schemas": {"./${schema}": "x"}}`, { is: "there" }],
  [
    "another schema for our files",
    '{"yaml.schemas": {"mine.json": ".claude-sessions/*.yaml"}}',
    { is: "theirs", theirs: "mine.json" },
  ],
  ["broken JSON", '{"a": ', { is: "unclear", why: "it is no valid JSON" }],
  ["a list", "[]", { is: "unclear", why: "it is no JSON object" }],
  [
    "schemas of no known form",
    '{"yaml.schemas": []}',
    { is: "unclear", why: 'its "yaml.schemas" is no object' },
  ],
])("%s is left alone", (_, before, want) => {
  expect(addYamlSchemas(before)).toEqual(want);
});

test("adding keeps every value and every comment, and adding twice adds once", () => {
  const value = fc.oneof(fc.integer(), fc.boolean(), fc.string(), fc.array(fc.integer(), { maxLength: 3 }));
  const schemas = fc.dictionary(
    fc.constantFrom("a.json", "https://b.example/c.json"),
    fc.constant("x/*.yaml"),
  );
  const comment = fc.constantFrom("", " // one", " /* two */", "\n// three\n");
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom("a", "b.c", "[yaml]"), value),
      fc.option(schemas, { nil: undefined }),
      fc.constantFrom(0, 2, 4, "\t"),
      fc.infiniteStream(comment),
      fc.boolean(),
      (settings, known, indent, comments, trailing) => {
        const all = known === undefined ? settings : { ...settings, "yaml.schemas": known };
        const before = commented(all, indent, comments, trailing);
        const after = added(before);
        expect(parse(after, [], { allowTrailingComma: true })).toEqual({
          ...all,
          "yaml.schemas": { ...known, ...entry },
        });
        const said = (text: string) => text.match(/\/\/ \w+|\/\* \w+ \*\//g) ?? [];
        expect(said(after)).toEqual(said(before));
        expect(addYamlSchemas(after)).toEqual({ is: "there" });
      },
    ),
  );
});

/** `value` as JSON with comments between its lines. */
function commented(value: object, indent: number | string, comments: Stream, trailing: boolean): string {
  const lines = JSON.stringify(value, undefined, indent || 1).split("\n");
  const text = lines.map((line) => line + (comments.next().value ?? "")).join("\n");
  return trailing ? text.replace(/([^\s{,])(\s*)\}$/, "$1$2,}").replace(/\/,(\s*\})$/, "/$1") : text;
}

type Stream = Iterator<string>;

test("a comma between two comments is not taken for one behind the first", () => {
  const before = `{"yaml.schemas": {"a.json": "x" /* one */}, /* two */\n}`;
  expect(parse(added(before), [], { allowTrailingComma: true })["yaml.schemas"]).toEqual({
    "a.json": "x",
    ...entry,
  });
});
