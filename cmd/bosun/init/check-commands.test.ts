import { expect, test } from "vitest";
import { type SuggestedCommands, suggestCommands } from "./check-commands.ts";

const npmDefault = 'echo "Error: no test specified" && exit 1';

test.each<[string, Record<string, string>, SuggestedCommands]>([
  ["nothing", {}, {}],
  [
    "npm with a lock file",
    {
      "package.json": JSON.stringify({
        scripts: { test: "vitest", build: "tsc" },
        devDependencies: { vitest: "1" },
      }),
      "package-lock.json": "{}",
    },
    { setup: "npm ci", test: "npm test", build: "npm run build" },
  ],
  ["npm without a test", { "package.json": JSON.stringify({ scripts: { test: npmDefault } }) }, {}],
  [
    "pnpm",
    {
      "package.json": JSON.stringify({ scripts: { lint: "eslint" }, dependencies: { a: "1" } }),
      "pnpm-lock.yaml": "",
    },
    { setup: "pnpm install --frozen-lockfile", lint: "pnpm run lint" },
  ],
  ["a package.json that isn't JSON", { "package.json": "{" }, {}],
  [
    "make",
    { Makefile: "CC := gcc\nbuild: main.o\n\tcc main.o\ncheck: build\n\t./main\nlint:\n\ttrue\n" },
    { build: "make build", test: "make check", lint: "make lint" },
  ],
  [
    "package.json, filled up from the Makefile",
    { "package.json": JSON.stringify({ scripts: { test: "vitest" } }), Makefile: "test:\nlint:\n" },
    { test: "npm test", lint: "make lint" },
  ],
  [
    "uv with pytest and ruff",
    { "pyproject.toml": "[project]\n[tool.pytest.ini_options]\n[tool.ruff]\n", "uv.lock": "" },
    { setup: "uv sync", lint: "uv run ruff check .", test: "uv run pytest" },
  ],
  ["plain Python", { "pyproject.toml": "[project]\n" }, { test: "python3 -m unittest" }],
  [
    "Rust",
    { "Cargo.toml": "" },
    { setup: "cargo fetch", lint: "cargo clippy --all-targets", test: "cargo test", build: "cargo build" },
  ],
  [
    "Go",
    { "go.mod": "" },
    { setup: "go mod download", lint: "go vet ./...", test: "go test ./...", build: "go build ./..." },
  ],
])("commands of %s", (_, files, want) => {
  expect(suggestCommands((name) => files[name])).toEqual(want);
});
