/** What the pages name has to exist. */
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { program } from "../../cmd/bosun/program.ts";
import { realContext } from "../../cmd/bosun/real-context.ts";

const root = path.resolve(import.meta.dirname, "../..");
const pages = ["README.md", ...globSync("docs/**/*.md", { cwd: root })];

test.each(pages)("every link of %s leads to a file", (page) => {
  const text = readFileSync(path.join(root, page), "utf8");
  const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? "");
  const dead = links.filter((link) => !existsSync(path.resolve(root, path.dirname(page), link)));
  expect(dead).toEqual([]);
});

test.each(pages)("every path in %s that starts in a folder of the project exists", (page) => {
  const text = readFileSync(path.join(root, page), "utf8");
  const named = [
    ...text.matchAll(/`((?:cmd|controllers|crds|docs|hack|manifests|pkg|prompts|test)\/[\w./-]+)`/g),
  ].map((match) => match[1] ?? "");
  const missing = named.filter((name) => !existsSync(path.join(root, name)));
  expect(missing).toEqual([]);
});

test("every command that README.md names is a command of bosun", () => {
  const text = readFileSync(path.join(root, "README.md"), "utf8");
  const named = new Set([...text.matchAll(/`bosun ([a-z-]+)/g)].map((match) => match[1] ?? ""));
  const known = new Set(program(realContext()).commands.map((command) => command.name()));
  expect([...named].filter((name) => !known.has(name))).toEqual([]);
});
