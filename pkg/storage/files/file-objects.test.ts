import { expect, test } from "vitest";
import { readFileObjects } from "./file-objects.ts";

const resources = [
  {
    resource: "bosun.dev/projects",
    apiVersion: "bosun.dev/v1alpha1",
    kind: "Project",
    file: "projects/{name}.yaml",
  },
];
const start = "apiVersion: bosun.dev/v1alpha1\nkind: Project\n";
const good = `${start}metadata:\n  name: a\n`;

test("each document is an object of the one namespace, with its place in the file", () => {
  const read = readFileObjects(
    `${good}---\n${good}  namespace: default\n`.replace("name: a", "name: b"),
    resources,
  );
  if (!read.valid) throw new Error(read.problems[0]?.message);
  expect(read.objects).toMatchObject([
    { id: "bosun.dev/projects/b", key: { namespace: "default", name: "b" }, index: 0 },
    { id: "bosun.dev/projects/a", key: { namespace: "default", name: "a" }, index: 1 },
  ]);
  expect(read.objects.map((object) => object.line(["metadata", "name"]))).toEqual([4, 9]);
});

test.each([
  ["another namespace", `${good}  namespace: team\n`, 5, /^metadata\.namespace must be "default" or absent/],
  ["no namespace at all", `${good}  namespace: ""\n`, 5, /^metadata\.namespace must/],
  ["no name", `${start}metadata: {}\n`, 3, /^metadata\.name must be a string/],
  ["an empty name", `${start}metadata:\n  name: ""\n`, 4, /^metadata\.name must be a string/],
  ["a number for a name", `${start}metadata:\n  name: 1\n`, 4, /^metadata\.name must be a string/],
  ["no metadata", start, 1, /^metadata\.name must be a string/],
  ["a list", "- a\n", 1, /^A document must be a map/],
  ["text that is not UTF-8", `${good}# \uFFFD\n`, 5, /is not UTF-8/],
  ["no YAML", `${good}  labels: [\n`, 6, /./],
])(
  "one document with %s makes the whole file invalid, and its line is named",
  (_what, text, line, message) => {
    const read = readFileObjects(text, resources);
    expect(read).toMatchObject({
      valid: false,
      problems: [{ line, message: expect.stringMatching(message) }],
    });
    const behind = readFileObjects(`${good}---\n${text}`, resources);
    expect(behind).toMatchObject({ valid: false, problems: [{ line: line + 5 }] });
  },
);
