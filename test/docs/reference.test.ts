/** The reference pages against what they tell of: the API, the reasons, the columns, the commands. */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { program } from "../../cmd/bosun/program.ts";
import { realContext } from "../../cmd/bosun/real-context.ts";
import { columnsOf, headerOf } from "../../cmd/bosun/tables/columns.ts";
import { createAll, openRegistry } from "../../cmd/bosun/testing/operator.ts";
import { readCrds, storageVersion } from "../../hack/generate/crds.ts";
import { ACTIONS } from "../../pkg/api/escalations.ts";
import type { Condition } from "../../pkg/api/meta.ts";
import { CONDITIONS } from "../../pkg/api/reasons.ts";
import { reportReasons } from "../../pkg/storage/files/report.ts";

const root = path.resolve(import.meta.dirname, "../..");

const pages = readCrds(path.join(root, "crds")).map(({ crd }) => {
  const file = path.join(root, "docs/reference", `${crd.spec.names.singular}.md`);
  return { kind: crd.spec.names.kind as keyof typeof CONDITIONS, crd, text: readFileSync(file, "utf8") };
});

/** The text below each heading of `level`, to the next of that level. */
function sections(text: string, level: number): Map<string, string> {
  const parts = text.split(new RegExp(`^${"#".repeat(level)} `, "m")).slice(1);
  return new Map(parts.map((part) => [part.split("\n")[0] ?? "", part]));
}

/** The fenced blocks of `language`; of none with "". */
function blocks(text: string, language: string): string[] {
  const all = [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)];
  return all.filter((match) => match[1] === language).map((match) => match[2] ?? "");
}

/** The first two cells of each row of the tables whose first column is a reason. */
function reasonRows(text: string): [reason: string, second: string][] {
  return text.split("\n").flatMap((line) => {
    const cells = /^\| `(\w+)` \| (.*?) \|/.exec(line);
    return cells === null ? [] : [[cells[1] ?? "", cells[2] ?? ""] as [string, string]];
  });
}

test.each(pages)("the page of $kind has its parts in the order of all pages", ({ kind, text }) => {
  const headings = [...sections(text, 2).keys()];
  const article = /^[AEIOU]/.test(kind) ? "an" : "a";
  expect(headings).toEqual([
    "Example",
    `Writing ${article} ${kind} spec`,
    expect.stringMatching(new RegExp(`^Working with (an? )?${kind.replace(/y$/, "")}`)),
    `${kind} status`,
  ]);
});

test.each(pages)("the API admits the example of $kind", async ({ kind, text }) => {
  const [example = ""] = blocks(sections(text, 2).get("Example") ?? "", "yaml");
  expect(example).toContain(`kind: ${kind}`);
  await createAll(await openRegistry(), example);
});

test.each(pages)("the page of $kind tells of each of its conditions, with one as YAML", ({ kind, text }) => {
  const told = sections(sections(text, 2).get(`${kind} status`) ?? "", 3);
  const conditions: Readonly<Record<string, readonly string[]>> = CONDITIONS[kind];
  expect([...told.keys()].sort()).toEqual(Object.keys(conditions).sort());
  for (const [type, section] of told) {
    const [example = ""] = blocks(section, "yaml");
    const condition = parse(example) as Condition;
    expect(condition).toMatchObject({ type, message: expect.any(String) });
    const rows = reasonRows(section);
    expect(rows.map(([reason]) => reason)).toContain(condition.reason);
    expect(rows).toContainEqual([condition.reason, condition.status]);
  }
});

test.each(pages)("every reason of $kind is told, and no other", ({ kind, text }) => {
  const told = sections(sections(text, 2).get(`${kind} status`) ?? "", 3);
  for (const [type, reasons] of Object.entries<readonly string[]>(CONDITIONS[kind])) {
    const rows = reasonRows(told.get(type) ?? "").map(([reason]) => reason);
    expect([type, rows.toSorted()]).toEqual([type, [...new Set(reasons)].sort()]);
  }
});

test.each(pages)(
  "what the page of $kind shows of listings has the columns that there are",
  ({ kind, text }) => {
    const listings = blocks(text, "").filter((block) => /^\$ (bosun|kubectl) get /m.test(block));
    const want = headerOf(kind, columnsOf(kind, { wide: false })).join(" ");
    expect(listings.map((block) => /^NAME .*/m.exec(block)?.[0].replaceAll(/ {2,}/g, " "))).toEqual([want]);
  },
);

test.each(pages)("commands and field selectors on the page of $kind are real", ({ text }) => {
  const commands = new Set(program(realContext()).commands.map((command) => command.name()));
  const named = [...text.matchAll(/[`$] ?bosun ([a-z-]+)/g)].map((match) => match[1] ?? "");
  expect(named.filter((name) => !commands.has(name))).toEqual([]);

  const selectable = pages.flatMap(({ crd }) =>
    (storageVersion(crd).selectableFields ?? []).map(({ jsonPath }) => jsonPath.slice(1)),
  );
  const selected = [...text.matchAll(/--field-selector ([\w.]+)=/g)].map((match) => match[1] ?? "");
  expect(selected.filter((field) => !selectable.includes(field))).toEqual([]);
});

test("the page of Events has every reason that no condition has", () => {
  const files = globSync("{controllers,cmd/bosun/operator}/**/*.ts", { cwd: root }).filter(
    (file) => !isTest(file),
  );
  const code = files.map((file) => readFileSync(path.join(root, file), "utf8")).join("\n");
  // Told by a recorder, or made as an object.
  const given = [
    ...code.matchAll(/(?:\.event\(\s*\w+,\s*|type: )"(?:Normal|Warning)",\s*(?:reason: )?"(\w+)"/g),
  ].map((match) => match[1] ?? "");
  const ofConditions = Object.values(CONDITIONS).flatMap((kind) =>
    Object.values<readonly string[]>(kind).flat(),
  );
  const want = new Set(
    [...given, ...Object.values(reportReasons)].filter((reason) => !ofConditions.includes(reason)),
  );
  const page = readFileSync(path.join(root, "docs/reference/events.md"), "utf8");
  expect(
    reasonRows(page)
      .map(([reason]) => reason)
      .sort(),
  ).toEqual([...want].sort());
});

function isTest(file: string): boolean {
  return /\.test\.ts$|\/testing\//.test(file);
}

test("the page of Escalation has the actions that each reason takes", () => {
  const page = pages.find(({ kind }) => kind === "Escalation")?.text ?? "";
  const rows = [...page.matchAll(/^\| `(\w+)` \| [^|]* \| (`\w+`(?:, `\w+`)*) \|$/gm)];
  const told = rows.map(([, reason = "", actions = ""]) => [reason, actions.replaceAll("`", "").split(", ")]);
  expect(Object.fromEntries(told)).toEqual(ACTIONS);
});
