import type { FileChange } from "./commit-source.ts";
import { matchesPattern } from "./glob.ts";
import type { Finding } from "./quality.ts";

/** Files that decide what a check command does. */
const configuration = [
  ".github/workflows/**",
  ".circleci/**",
  ".husky/**",
  ...[".gitlab-ci.yml", "azure-pipelines.yml", "Jenkinsfile", ".travis.yml", "codecov.yml"],
  ...["vitest.config.*", "vitest.workspace.*", "vite.config.*", "jest.config.*", "jest.setup.*", ".mocharc*"],
  ...["playwright.config.*", "cypress.config.*", "karma.conf.*", "babel.config.*", ".nycrc*", ".c8rc*"],
  ...[
    "eslint.config.*",
    ".eslintrc*",
    ".eslintignore",
    "biome.json",
    "biome.jsonc",
    ".prettierrc*",
    ".prettierignore",
  ],
  ...[
    ".stylelintrc*",
    "tsconfig*.json",
    "turbo.json",
    "nx.json",
    ".lintstagedrc*",
    ".pre-commit-config.yaml",
  ],
  ...[
    "pytest.ini",
    "tox.ini",
    "setup.cfg",
    "pyproject.toml",
    "conftest.py",
    "noxfile.py",
    ".flake8",
    "ruff.toml",
  ],
  ...[".ruff.toml", "mypy.ini", ".pylintrc", ".coveragerc"],
  ...[
    "Makefile",
    "justfile",
    "Taskfile.yml",
    "Rakefile",
    ".rspec",
    ".rubocop.yml",
    "phpunit.xml*",
    "phpstan.neon*",
  ],
  ...[".golangci.*", "clippy.toml", ".clippy.toml", "rustfmt.toml", "build.rs", ".cargo/config*"],
  ...["build.gradle*", "pom.xml", "checkstyle*.xml", ".secretlintrc*", ".secretlintignore"],
];

/** Sections of a package.json that decide what its scripts and runners do. */
const packageSections = [
  "scripts",
  "jest",
  "vitest",
  "mocha",
  "ava",
  "c8",
  "nyc",
  "eslintConfig",
  "lint-staged",
  "type",
];

/** Changes to what the check commands resolve to, for the reviewer to judge: a green check may mean less now. */
export function checkConfigurationFindings(
  head: string,
  changes: readonly FileChange[],
  contents: ReadonlyMap<string, Buffer>,
): readonly Finding[] {
  return changes.flatMap(({ path, before, after }): readonly Finding[] => {
    const found = (message: string): Finding => ({ kind: "CheckConfiguration", path, commit: head, message });
    if (matchesPattern(path, "package.json")) {
      const old = sections(before && contents.get(before.blob));
      const now = sections(after && contents.get(after.blob));
      if (old === undefined && now === undefined) return [];
      const changed = packageSections.filter(
        (name) => JSON.stringify(old?.[name]) !== JSON.stringify(now?.[name]),
      );
      return changed.length === 0 ? [] : [found(`It changes ${changed.join(", ")}.`)];
    }
    if (!configuration.some((pattern) => matchesPattern(path, pattern))) return [];
    const how = before === undefined ? "added" : after === undefined ? "deleted" : "changed";
    return [found(`A file that decides what the checks do is ${how}.`)];
  });
}

/** Undefined when it is not there or no JSON object; npm refuses such a file, and the checks fail by themselves. */
function sections(content: Buffer | undefined): Record<string, unknown> | undefined {
  if (content === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(content.toString("utf8"));
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : undefined;
  } catch {
    return undefined; // Said above.
  }
}
