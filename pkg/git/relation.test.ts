import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { changesFrom, changesSince } from "./file-changes.ts";
import { Git, type GitPlace } from "./git.ts";
import { relate } from "./relation.ts";

/** A commit of a made-up history: which earlier ones it comes from, when, and what it does to files. */
interface Made {
  parents: readonly number[];
  time: number;
  files: readonly { path: string; content: string | undefined; mode: string }[];
}

// Of an "a" that is a file now and a folder then, and of two names that are the same once they are no bytes any more.
const paths = ["a", "a/b", "a/c/d", "a.b", "z\\377", "z\\376", "ü/x y"];

const made: fc.Arbitrary<Made> = fc.record({
  parents: fc.uniqueArray(fc.nat(3), { maxLength: 2 }),
  // Clocks of different machines: a child may be older than its parent.
  time: fc.integer({ min: 1, max: 9 }),
  files: fc.array(
    fc.record({
      path: fc.constantFrom(...paths),
      content: fc.option(fc.constantFrom("1", "2"), { nil: undefined }),
      mode: fc.constantFrom("100644", "100755", "120000"),
    }),
    { maxLength: 3 },
  ),
});

test("what is read of any history is what git says of it, and takes no process", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(made, { minLength: 2, maxLength: 14 }), fc.infiniteStream(fc.nat()), check),
    { numRuns: 30 },
  );
}, 300_000);

async function check(history: readonly Made[], choices: Iterator<number>): Promise<void> {
  const { git, place, answers, commits, asked } = repository(history);
  const choose = () => commits[choices.next().value % commits.length] ?? "";
  const pairs = Array.from({ length: 5 }, () => [choose(), choose()] as const);
  const [root = ""] = commits;
  const [whole = [], ...said] = answers([
    ["diff-tree", "--root", "--no-commit-id", ...format, root],
    ...pairs.flatMap(([from, to]) => [
      ["rev-list", `${from}..${to}`],
      ["merge-base", "--all", from, to],
      ["diff-tree", ...format, from, to],
      ["diff", ...format, `${from}...${to}`],
    ]),
  ]);
  for (const [index, [from, to]] of pairs.entries()) {
    const [listed = [], bases = [], changed = [], since = []] = said.slice(4 * index);
    const relation = await relate(git.reader(place), from, to);
    const between = relation?.between.map(({ id }) => id) ?? [];
    expect([...between].sort()).toEqual(listed.sort());
    for (const commit of relation?.between ?? [])
      expect(between.indexOf(commit.id)).toBeGreaterThan(
        Math.max(-1, ...commit.parents.map((parent) => between.indexOf(parent))),
      );
    expect([...(relation?.bases ?? [])].sort()).toEqual(bases.sort());

    expect(shown(await changesFrom(git, place, from, to))).toEqual(raw(changed));
    if (bases.length === 1) expect(shown(await changesSince(git, place, from, to))).toEqual(raw(since));
  }
  expect(shown(await changesFrom(git, place, undefined, root))).toEqual(raw(whole));
  expect(asked()).toBe(0);
}

test("a root that is newer than its children, and was looked at before them, is taken for nobody's own commit", async () => {
  const bare = (parents: readonly number[], time: number): Made => ({ parents, time, files: [] });
  // Of the first history: its child, a merge of both, and a child of its child.
  const { git, place, commits } = repository([bare([], 9), bare([0], 1), bare([0, 1], 2), bare([1], 1)]);
  const [root = "", child = "", merge = "", other = ""] = commits;
  expect(root).not.toBe("");
  for (const [from, to, own] of [
    [other, merge, merge],
    [merge, other, other],
  ] as const) {
    const relation = await relate(git.reader(place), from, to);
    expect({ between: relation?.between.map(({ id }) => id), bases: relation?.bases }).toEqual({
      between: [own],
      bases: [child],
    });
  }
});

test("a long way, and what can't be read, is left to git", async () => {
  const history = Array.from({ length: 300 }, (_, time) => ({ parents: [0], time, files: [] }));
  const { git, place, commits } = repository(history);
  const reader = git.reader(place);
  const [first = "", newest = ""] = [commits[0], commits.at(-1)];

  expect((await relate(reader, commits.at(-100) ?? "", newest))?.between).toHaveLength(99);
  expect(await relate(reader, first, newest)).toBeUndefined();
  expect(await relate(reader, first, "f".repeat(40))).toBeUndefined();
  expect(await relate(reader, first, `${newest}^{tree}`)).toBeUndefined();
});

const format = ["--raw", "-r", "-z", "--no-renames", "--no-abbrev"];

function repository(history: readonly Made[]) {
  const gitDirectory = mkdtempSync(join(tmpdir(), "bosun-relation-"));
  onTestFinished(() => rmSync(gitDirectory, { recursive: true, force: true }));
  const answers = (questions: readonly (readonly string[])[]): string[][] =>
    run(gitDirectory, questions).map((answer) => answer.split(/[\n\0]/).filter(Boolean));
  answers([["init", "--quiet", "--bare", "."]]);
  execFileSync("git", ["fast-import", "--quiet"], { cwd: gitDirectory, input: streamOf(history) });
  const made = ["for-each-ref", "--sort=version:refname", "--format=%(objectname)", "refs/made"];
  const [commits = []] = answers([made]);
  let count = 0;
  const git = new Git(() => {
    count += 1;
    throw new Error("A process was asked.");
  });
  const place: GitPlace = { gitDirectory };
  return { git, place, answers, commits, asked: () => count };
}

/** Commits for `git fast-import`, each with a ref of its own; one with no parents begins another history. */
function streamOf(history: readonly Made[]): string {
  return history
    .map(({ parents, time, files }, index) => {
      const earlier = parents.filter((back) => back < index).map((back) => `refs/made/${index - 1 - back}`);
      const lines = [
        `commit refs/made/${index}`,
        `committer A <a@b> ${time} +0000`,
        `data ${String(index).length}`,
        String(index),
        ...earlier.map((ref, at) => `${at === 0 ? "from" : "merge"} ${ref}`),
        ...files.flatMap(({ path, content, mode }) =>
          content === undefined
            ? [`D "${path}"`]
            : [`M ${mode} inline "${path}"`, `data ${content.length}`, content],
        ),
      ];
      return `${lines.join("\n")}\n\n`;
    })
    .join("");
}

/**
 * What git prints for each of these arguments; nothing where two commits have no common one. One process starts all the
 * others: this one is large, and takes three times as long to start each.
 */
function run(cwd: string, questions: readonly (readonly string[])[]): string[] {
  const end = "-- the end of an answer --";
  const lines = questions.map((args) => {
    const quoted = args.map((word) => `'${word}'`).join(" ");
    const mayFail = args[0] === "merge-base" || args[0] === "diff" ? " || :" : "";
    return `git -c core.quotePath=false ${quoted}${mayFail}; printf '%s' '${end}'`;
  });
  return execFileSync("sh", ["-e", "-c", lines.join("\n")], { cwd, encoding: "utf8", stdio: "pipe" }).split(
    end,
  );
}

/** Records of `--raw -z`, taken apart at the NULs. */
function raw(fields: readonly string[]): string[] {
  return fields.flatMap((field, index) =>
    index % 2 === 0 ? [`${field.split(" ").slice(0, 4).join(" ")} ${fields[index + 1]}`] : [],
  );
}

function shown(changes: Awaited<ReturnType<typeof changesFrom>>): string[] {
  const zero = "0".repeat(40);
  return changes.map(
    ({ path, before, after }) =>
      `:${before?.mode ?? "000000"} ${after?.mode ?? "000000"} ${before?.blob ?? zero} ${after?.blob ?? zero} ${path}`,
  );
}
