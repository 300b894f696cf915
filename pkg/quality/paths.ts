import type { FileChange } from "./commit-source.ts";
import { coveringPattern, matchesPattern } from "./glob.ts";
import { isKeyStore } from "./key-store.ts";
import type { Finding } from "./quality.ts";

/** Merged by nobody's approval: the control plane does not belong to a branch. */
const forbidden = "**/.claude-sessions";

/** Protected as well unless a pattern of the Workspace with `!` takes them out: a person looks at each. */
const credentials = [
  "*.pem",
  "*.key",
  "*.p12",
  "*.pfx",
  "id_rsa*",
  "id_ed25519*",
  ".netrc",
  ".pypirc",
  ".pgpass",
];

/** Paths in a commit that must not, or may not without a person, be merged: by their names, and by what lies there. */
export function pathFindings(
  commit: string,
  changes: readonly FileChange[],
  protectedPaths: readonly string[],
  contents: ReadonlyMap<string, Buffer>,
): readonly Finding[] {
  return changes.flatMap(({ path, after }): readonly Finding[] => {
    if (matchesPattern(path, forbidden)) {
      const message = "The control plane is never merged from a branch. Take the file out of every commit.";
      return [{ kind: "ForbiddenPath", path, commit, message }];
    }
    const pattern = coveringPattern(path, [...credentials, ...protectedPaths]);
    if (pattern !== undefined) {
      return [{ kind: "ProtectedPath", path, commit, message: `It matches the protected path ${pattern}.` }];
    }
    if (after?.mode === "160000") {
      return [
        { kind: "ProtectedPath", path, commit, message: "It is a submodule: code from another repository." },
      ];
    }
    const content = after && contents.get(after.blob);
    const isAllowed = coveringPattern(path, ["**", ...protectedPaths]) === undefined;
    if (content !== undefined && isKeyStore(content) && !isAllowed) {
      const message = "It is a key store (PKCS#12 or Java's): it holds private keys as a rule.";
      return [{ kind: "ProtectedPath", path, commit, message }];
    }
    return [];
  });
}
