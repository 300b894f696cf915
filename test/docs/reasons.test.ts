/** The list of reasons against the code that gives them. That no condition gives another is checked in every simulation. */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { CONDITIONS, FAILURE_REASONS } from "../../pkg/api/reasons.ts";

const root = path.resolve(import.meta.dirname, "../..");

function sources(...patterns: string[]): string {
  return patterns
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .filter((file) => !/\.(test|contract|twin)\.ts$|\/testing\//.test(file))
    .map((file) => readFileSync(path.join(root, file), "utf8"))
    .join("\n");
}

test("every reason for which an effect may fail is listed, and each that is listed is given", () => {
  // What opening a repository or a kubeconfig throws ends `bosun up` and is no object's condition.
  const effects = sources(
    "controllers/agent/*.ts",
    "pkg/{gateway,session,quality,runtime}/**/*.ts",
    "pkg/storage/disk-full.ts",
    "pkg/git/!(open).ts",
    "pkg/cluster/!(kubeconfig).ts",
    "cmd/bosun/operator/lock.ts",
  );
  const thrown = [...effects.matchAll(/new (?:Transient|Waiting|Terminal)Error\(\s*"(\w+)"/g)].map(
    (match) => match[1] ?? "",
  );
  expect([...new Set(thrown)].sort()).toEqual(
    FAILURE_REASONS.filter((r) => r !== "InternalError").toSorted(),
  );
});

test("every reason that is listed for a condition stands somewhere in the code", () => {
  const text = sources("controllers/**/*.ts", "pkg/git/target.ts", "pkg/api/{generated,agent-states}.ts");
  const listed = Object.values(CONDITIONS).flatMap((kind) => Object.values<readonly string[]>(kind).flat());
  const failures: readonly string[] = FAILURE_REASONS;
  const unused = listed.filter((reason) => !text.includes(`"${reason}"`) && !failures.includes(reason));
  expect(unused).toEqual([]);
});
