/** What starts programs, in a process that has no file left to open: it says so, lives on, and goes on once there is one. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";

test.runIf(process.platform === "linux")(
  "a process with too many files open is told so by whatever it wants to start, and is not ended by that",
  () => {
    const folder = mkdtempSync(path.join(tmpdir(), "bosun-files-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const git = (...args: string[]): string =>
      execFileSync("git", ["-C", folder, ...args], { encoding: "utf8" }).trim();
    git("init", "--quiet", "--bare", ".");
    const object = execFileSync("git", ["-C", folder, "hash-object", "-w", "--stdin"], {
      encoding: "utf8",
      input: "one",
    }).trim();

    const script = path.join(import.meta.dirname, "too-many-files.ts");
    const told = execFileSync(
      "sh",
      ["-c", 'ulimit -n 64; exec "$@"', "sh", process.execPath, script, object],
      {
        cwd: folder,
        encoding: "utf8",
      },
    );
    expect(JSON.parse(told)).toEqual({
      without: {
        moved: "Cannot start git: this process has too many files open (`ulimit -n`).",
        read: null,
        ran: "Cannot start true: EMFILE\n",
      },
      afterwards: { moved: 0, read: object, ran: "" },
    });
    expect(git("for-each-ref", "--format=%(refname)")).toBe("refs/afterwards");
  },
);
