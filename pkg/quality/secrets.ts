import { lintSource } from "@secretlint/core";
import { secretLintProfiler } from "@secretlint/profiler";
import { creator } from "@secretlint/secretlint-rule-preset-recommend";
import type { FileChange } from "./commit-source.ts";
import type { Finding } from "./quality.ts";

// It would keep each rule's time on each file for ever, look through all of them at each one, and end the process at the
// name of a file that has a line break or `::end` in it.
secretLintProfiler.mark = () => undefined;

const preset = "@secretlint/secretlint-rule-preset-recommend";

/** Longer text is scanned in pieces; they overlap by more than any secret's length. */
const pieceCharacters = 1_000_000;
const overlapCharacters = 20_000;

/**
 * Secrets in what a commit adds, its message included. Each commit counts, not only the last: what was ever
 * committed is in the history that would be merged.
 */
export async function secretFindings(
  commit: { id: string; message: string },
  changes: readonly FileChange[],
  contents: ReadonlyMap<string, Buffer>,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { path, before, after } of changes) {
    if (after === undefined) continue;
    const text = asText(contents.get(after.blob));
    const known = before === undefined ? "" : asText(contents.get(before.blob));
    findings.push(...(await scan(commit.id, path, text, known)));
  }
  findings.push(...(await scan(commit.id, "(commit message)", commit.message, "")));
  return findings;
}

/** Findings in `text` whose kind of secret is not in `known` just as often: moving a line adds no secret. */
async function scan(commit: string, path: string, text: string, known: string): Promise<readonly Finding[]> {
  const found = await secretsIn(path, text);
  if (found.length === 0) return [];
  const earlier = new Set((await secretsIn(path, known)).map(({ secret }) => secret));
  const reported = new Set<string>();
  return found.flatMap(({ secret, message, line }): readonly Finding[] => {
    if (earlier.has(secret) || reported.has(secret)) return [];
    reported.add(secret);
    return [{ kind: "Secret", path, commit, message: `Line ${line}: ${message}` }];
  });
}

interface FoundSecret {
  /** The text itself; stays in this file. */
  secret: string;
  /** With the secret masked. */
  message: string;
  line: number;
}

async function secretsIn(path: string, text: string): Promise<readonly FoundSecret[]> {
  const found: FoundSecret[] = [];
  for (let start = 0; start < text.length; start += pieceCharacters - overlapCharacters) {
    // The preset obeys comments that switch it off; an author must not grant that to itself.
    const content = text
      .slice(start, start + pieceCharacters)
      .replaceAll(/secretlint-(?=disable|enable)/gi, "secretlint_");
    // Told that it ends in .p12, the preset would read the file of that path on this machine's disk, which is not the
    // commit's: key stores are found by `isKeyStore`.
    const { messages } = await lintSource({
      source: { filePath: path, content, contentType: "text", ext: "" },
      options: {
        noPhysicFilePath: true,
        maskSecrets: false,
        config: { rules: [{ id: preset, rule: creator }] },
      },
    });
    for (const { range, message, ruleId } of messages) {
      const secret = content.slice(range[0], range[1]);
      const rule = ruleId.replace("@secretlint/secretlint-rule-", "");
      const masked = secret === "" ? message : message.replaceAll(secret, "****");
      found.push({
        secret,
        message: `${rule}: ${masked.includes(secret) ? "found a secret" : masked}`,
        line: text.slice(0, start + range[0]).split("\n").length,
      });
    }
    if (start + pieceCharacters >= text.length) break;
  }
  return found;
}

/** Bytes that are not UTF-8 are kept one to one: a key inside of a binary is a key. */
function asText(content: Buffer | undefined): string {
  if (content === undefined) return "";
  return content.includes(0) ? content.toString("latin1") : content.toString("utf8");
}
