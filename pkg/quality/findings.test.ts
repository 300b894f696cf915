import { describe, expect, test } from "vitest";
import { checkConfigurationFindings } from "./check-configuration.ts";
import type { FileChange } from "./commit-source.ts";
import { coveringPattern, matchesPattern } from "./glob.ts";
import { pathFindings } from "./paths.ts";
import { secretFindings } from "./secrets.ts";
import { weakenedTests } from "./weakened.ts";

/** A change of one file, its contents as blob ids. */
function change(path: string, before: string | undefined, after: string | undefined) {
  const version = (text: string | undefined) =>
    text === undefined ? undefined : { blob: text, mode: "100644" };
  const changes: readonly FileChange[] = [{ path, before: version(before), after: version(after) }];
  const contents = new Map(
    [before, after].flatMap((text) => (text === undefined ? [] : [[text, Buffer.from(text)]])),
  );
  return { changes, contents: contents as Map<string, Buffer> };
}

describe("a pattern", () => {
  const rows: readonly [path: string, pattern: string, want: boolean][] = [
    [".github/workflows/ci.yml", ".github/**", true],
    ["docs/.github/x", ".github/**", false],
    ["packages/a/.npmrc", ".npmrc", true],
    [".env", ".env*", true],
    ["app/.env.local", ".env*", true],
    ["environment.ts", ".env*", false],
    [".gitattributes", ".git*", true],
    ["claude.md", "CLAUDE.md", true],
    ["a/b/c.txt", "a/*.txt", false],
    ["a/c.txt", "a/**/*.txt", true],
    ["axc", "a.c", false],
    ["packages/a/.github/x", ".git*", true],
    ["deploy/keys/a.txt", "deploy/keys", true],
    ["deploy/keys/a.txt", "keys/", true],
    ["keys", "keys/", false],
    ["a1.txt", "a[0-9].txt", true],
    ["ab.txt", "a[!b].txt", false],
    ["a*b", "a\\*b", true],
    ["axb", "a\\*b", false],
  ];
  for (const [path, pattern, want] of rows) {
    test(`${pattern} ${want ? "matches" : "does not match"} ${path}`, () => {
      expect(matchesPattern(path, pattern)).toBe(want);
    });
  }
});

test("nothing is kept of a scan: an operator makes thousands a day", async () => {
  const { changes, contents } = change("a.txt", undefined, "nothing\n");
  const kept = () => performance.getEntriesByType("mark").length;
  const before = kept();
  await secretFindings({ id: "c", message: "Add a.txt" }, changes, contents);
  expect(kept()).toBe(before);
});

test("a later pattern with an exclamation mark takes a path out again", () => {
  const patterns = ["deploy/", "!deploy/readme.md"];

  expect(coveringPattern("deploy/run.sh", patterns)).toBe("deploy/");
  expect(coveringPattern("deploy/readme.md", patterns)).toBeUndefined();
});

test("a deleted protected file and a submodule need a person, the control plane nobody can allow", () => {
  const protectedPaths = [".github/**"];
  const kinds = (changes: readonly FileChange[]) =>
    pathFindings("c", changes, protectedPaths, new Map()).map(({ kind }) => kind);
  const submodule: FileChange = { path: "lib", before: undefined, after: { blob: "x", mode: "160000" } };

  expect(kinds(change(".github/CODEOWNERS", "x", undefined).changes)).toEqual(["ProtectedPath"]);
  expect(kinds([submodule])).toEqual(["ProtectedPath"]);
  expect(kinds(change(".Claude-Sessions/workspace.yaml", undefined, "x").changes)).toEqual(["ForbiddenPath"]);
  expect(kinds(change("src/a.ts", "a", "b").changes)).toEqual([]);
});

test("a key file is protected unless the workspace says otherwise", () => {
  const { changes, contents } = change("test/fixtures/server.key", undefined, "x");

  expect(pathFindings("c", changes, [], contents)).toMatchObject([{ kind: "ProtectedPath" }]);
  expect(pathFindings("c", changes, ["!test/fixtures/"], contents)).toEqual([]);
});

describe("a key store", () => {
  const ofData = "06092a864886f70d010701";
  const rows: readonly [what: string, hex: string, want: boolean][] = [
    ["PKCS#12 of less than 256 bytes", `3081ff0201033081b5${ofData}`, true],
    ["PKCS#12 of kilobytes", `308209ad020103308209a4${ofData}a0`, true],
    ["PKCS#12 of megabytes", `3083120000020103308311fff0${ofData}`, true],
    ["PKCS#12 whose lengths are open", `30800201033080${ofData}a080`, true],
    ["PKCS#12 that is signed", "308209ad020103308209a406092a864886f70d010702", true],
    ["JKS", "feedfeed0000000200000001", true],
    ["JCEKS", "cececece0000000200000001", true],
    ["a certificate", "308203ad30820295a00302010202", false],
    ["signed data", "308209ad06092a864886f70d010702a0", false],
    ["a Java class", "cafebabe0000003d", false],
    ["an empty file", "", false],
    ["text that only speaks of one", Buffer.from("feedfeed00000002").toString("hex"), false],
  ];
  for (const [what, hex, want] of rows) {
    test(`is ${want ? "" : "not "}found in ${what}, whatever the name`, () => {
      const changes = [{ path: "app/release", before: undefined, after: { blob: "b", mode: "100644" } }];
      const contents = new Map([["b", Buffer.from(hex, "hex")]]);

      expect(pathFindings("c", changes, [], contents).map(({ kind }) => kind)).toEqual(
        want ? ["ProtectedPath"] : [],
      );
      expect(pathFindings("c", changes, ["!app/"], contents)).toEqual([]);
    });
  }
});

describe("tests are weakened when", () => {
  const suite =
    'test("a", () => {\n  expect(1).toBe(1);\n});\ntest("b", () => {\n  expect(2).toBe(2);\n});\n';
  const rows: readonly [
    name: string,
    path: string,
    before: string | undefined,
    after: string | undefined,
    want: RegExp,
  ][] = [
    ["a file is deleted", "src/a.test.ts", suite, undefined, /deleted/],
    ["one is skipped", "src/a.test.ts", suite, suite.replace("test(", "test.skip("), /skipped/],
    ["one is singled out", "src/a.test.ts", suite, suite.replace("test(", "test.only("), /singled out/],
    [
      "an assertion goes",
      "src/a.test.ts",
      suite,
      suite.replace("  expect(1).toBe(1);\n", ""),
      /1 fewer assertions/,
    ],
    [
      "one of Python is marked",
      "tests/test_a.py",
      "def test_a():\n    assert 1\n",
      "@pytest.mark.skip\ndef test_a():\n    assert 1\n",
      /skipped/,
    ],
    [
      "one of Go is skipped",
      "a_test.go",
      "func TestA(t *testing.T) {\n}\n",
      "func TestA(t *testing.T) {\n\tt.Skip()\n}\n",
      /skipped/,
    ],
    [
      "one of Rust is ignored",
      "tests/a.rs",
      "#[test]\nfn a() {}\n",
      "#[test]\n#[ignore]\nfn a() {}\n",
      /skipped/,
    ],
  ];
  for (const [name, path, before, after, want] of rows) {
    test(name, () => {
      const { changes, contents } = change(path, before, after);
      const [finding] = weakenedTests("head", changes, contents);
      expect(finding?.message).toMatch(want);
      expect(finding).toMatchObject({ kind: "WeakenedTest", path, commit: "head" });
    });
  }

  test("but not when one is added, nor when a file moves, nor outside of tests", () => {
    const added = change("src/a.test.ts", suite, `${suite}test("c", () => expect(3).toBe(3));\n`);
    expect(weakenedTests("head", added.changes, added.contents)).toEqual([]);
    const moved = [
      ...change("a.test.ts", suite, undefined).changes,
      ...change("b.test.ts", undefined, suite).changes,
    ];
    expect(weakenedTests("head", moved, added.contents)).toEqual([]);
    // Another file in its place is no move.
    const replaced = [
      ...change("a.test.ts", suite, undefined).changes,
      ...change("b.test.ts", undefined, `${suite}// other`).changes,
    ];
    expect(weakenedTests("head", replaced, added.contents)).toMatchObject([
      { path: "a.test.ts", message: "A test file is deleted." },
    ]);
    const source = change("src/a.ts", "expect(1)", "");
    expect(weakenedTests("head", source.changes, source.contents)).toEqual([]);
  });
});

describe("what checks resolve to is changed by", () => {
  const found = (path: string, before: string | undefined, after: string | undefined) => {
    const { changes, contents } = change(path, before, after);
    return checkConfigurationFindings("head", changes, contents).map(({ message }) => message);
  };

  test("scripts of a package, not by its dependencies", () => {
    const before = '{"scripts":{"test":"vitest run"},"dependencies":{}}';
    expect(found("package.json", before, before.replace("vitest run", "true"))).toEqual([
      "It changes scripts.",
    ]);
    expect(found("package.json", before, before.replace("{}", '{"a":"1"}'))).toEqual([]);
    // Of a package within, say: its own scripts are what a workspace's command runs there.
    expect(found("b/package.json", undefined, before)).toEqual(["It changes scripts."]);
    expect(found("b/package.json", before, undefined)).toEqual(["It changes scripts."]);
    expect(found("b/package.json", undefined, "{}")).toEqual([]);
  });

  test("test and lint configuration and CI", () => {
    for (const path of [
      "vitest.config.ts",
      "a/eslint.config.js",
      ".github/workflows/ci.yml",
      "pyproject.toml",
    ]) {
      expect(found(path, "a", "b"), path).toHaveLength(1);
    }
    expect(found("src/config.ts", "a", "b")).toEqual([]);
  });
});

test("a secret is found once and with its line wherever it stands in a file of megabytes", async () => {
  const tokens = ["A", "B", "C", "D"].map((letter) => `ghp_${`${letter}1b2C3d4`.repeat(4)}E5f6`);
  // Within what is looked at first, twice over, on the border of both, and last.
  const places = [500, 985_000, 999_980, 1_500_000];
  const line = `${"x".repeat(99)}\n`;
  let text = line.repeat(15_001);
  for (const [index, at] of places.entries()) {
    const token = ` ${tokens[index]}\n`;
    text = text.slice(0, at) + token + text.slice(at + token.length);
  }
  const found = await secretFindings(
    { id: "c1", message: "" },
    [{ path: "a.txt", before: undefined, after: { blob: "b1", mode: "100644" } }],
    new Map([["b1", Buffer.from(text)]]),
  );
  expect(found.map(({ message }) => Number(/^Line (\d+)/.exec(message)?.[1]))).toEqual(
    tokens.map((token) => text.slice(0, text.indexOf(token)).split("\n").length),
  );
});
