import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { declaredTarget } from "./declared-target.ts";
import { workspaceFolder } from "./workspace-folder.ts";

const rows: readonly [what: string, files: Readonly<Record<string, string>>, want: string | undefined][] = [
  ["no file", {}, undefined],
  [
    "a Workspace among others",
    { "a.yaml": "kind: Budget\n---\nkind: Workspace\nspec: { repository: { targetBranch: trunk } }\n" },
    "trunk",
  ],
  ["a Workspace that names none", { "own/workspace.yml": "kind: Workspace\nspec: {}\n" }, "main"],
  [
    "a target that is no text",
    { "w.yaml": "kind: Workspace\nspec: { repository: { targetBranch: 1 } }\n" },
    undefined,
  ],
  ["a Workspace that can't be read", { "w.yaml": "kind: Workspace\nspec: {\n" }, undefined],
  ["no object", { "a.yaml": "", "b.yaml": "text\n", "c.yaml": "- kind: Workspace\n" }, undefined],
  ["the operator's own alone", { ".bosun/w.yaml": "kind: Workspace\nspec: {}\n" }, undefined],
];

test.each(rows)("the target that files with %s declare is named, or none", (_what, files, want) => {
  const folder = workspaceFolder(mkdtempSync(path.join(tmpdir(), "bosun-target-")));
  onTestFinished(() => rmSync(folder.repository, { recursive: true }));
  mkdirSync(folder.path);
  symlinkSync("nowhere", path.join(folder.path, "0.yaml"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder.path, name)), { recursive: true });
    writeFileSync(path.join(folder.path, name), text);
  }

  expect(declaredTarget(folder)).toBe(want);
});

test("the target of a folder that is not there is not known", () => {
  expect(declaredTarget(workspaceFolder("/nowhere"))).toBeUndefined();
});
