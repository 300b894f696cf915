import type { FileChange } from "./commit-source.ts";
import type { Finding } from "./quality.ts";

const testFile =
  /(?:^|\/)(?:tests?|__tests__|specs?)\/|[._-](?:test|spec)\.[^/.]+$|(?:^|\/)test_[^/]*\.py$|_(?:test|spec)\.[^/.]+$|Tests?\.(?:java|kt|cs|swift|php)$/;

/** Ways to keep a test from being run, in the usual languages. */
const disabled =
  /\b(?:describe|it|test|context|suite)(?:\.\w+)*\.(?:skip|only|todo|skipIf|fails)\b|\bx(?:it|describe|test|specify)\s*\(|\bf(?:it|describe)\s*\(|@pytest\.mark\.(?:skip|skipif|xfail)\b|@unittest\.(?:skip|expectedFailure)|\bpytest\.skip\s*\(|\b[tb]\.Skip(?:Now|f)?\s*\(|#\[ignore\b|@(?:Disabled|Ignore)\b|\{\s*(?:skip|todo|only):\s*(?:true|["'`])/g;

const assertion =
  /\bexpect\s*\(|\bassert\w*!?\s*[.(]|^\s*assert\s|\.should\b|\b[tb]\.(?:Error|Fatal)f?\s*\(|\b(?:require|assert)\.\w+\s*\(/gm;

const testCase =
  /\b(?:it|test|specify)(?:\.each\b[^(]*\([^)]*\))?\s*\(|^\s*(?:async\s+)?def test_|^func Test\w*\(|#\[(?:tokio::)?test\]|@Test\b/gm;

/** Tests that `head` takes away or makes weaker, for the reviewer to judge. A hint: it knows words, not meaning. */
export function weakenedTests(
  head: string,
  changes: readonly FileChange[],
  contents: ReadonlyMap<string, Buffer>,
): readonly Finding[] {
  const added = new Set(
    changes.flatMap(({ before, after }) => (before === undefined && after ? [after.blob] : [])),
  );
  return changes.flatMap(({ path, before, after }): readonly Finding[] => {
    if (!testFile.test(path)) return [];
    const found = (message: string): Finding => ({ kind: "WeakenedTest", path, commit: head, message });
    if (after === undefined) {
      const moved = before !== undefined && added.has(before.blob);
      return moved ? [] : [found("A test file is deleted.")];
    }
    const old = before === undefined ? "" : (contents.get(before.blob)?.toString("utf8") ?? "");
    const now = contents.get(after.blob)?.toString("utf8") ?? "";
    const findings: Finding[] = [];
    const switchedOff = count(now, disabled) - count(old, disabled);
    if (switchedOff > 0)
      findings.push(found(`${switchedOff} more tests are skipped, left open or singled out.`));
    const cases = count(old, testCase) - count(now, testCase);
    if (cases > 0) findings.push(found(`It has ${cases} fewer tests.`));
    const assertions = count(old, assertion) - count(now, assertion);
    if (assertions > 0) findings.push(found(`It has ${assertions} fewer assertions.`));
    return findings;
  });
}

function count(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length;
}
