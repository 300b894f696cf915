/** Starts programs while this process has all the files open that it may, and again when it has closed them. */
import { closeSync, openSync } from "node:fs";
import { ObjectReader } from "../../pkg/git/object-reader.ts";
import { RefWriter } from "../../pkg/git/ref-writer.ts";
import { runCommand } from "../../pkg/sandbox/run.ts";
import { systemClock } from "../../pkg/system/system.ts";

const [object = ""] = process.argv.slice(2);
const cwd = process.cwd();
const env = { PATH: process.env.PATH ?? "", GIT_DIR: cwd };

async function startAll(ref: string): Promise<object> {
  const git = { file: "git", env, cwd };
  const writer = new RefWriter({ ...git, args: ["update-ref", "--stdin"] });
  const reader = new ObjectReader({ ...git, args: ["cat-file", "--batch-command"] });
  const launch = { file: "true", args: [], env, contained: true };
  const moved = await writer.transact([`update ${ref} ${object}`]).then(
    ({ exitCode }) => exitCode,
    ({ message }: Error) => message,
  );
  const read = (await reader.id(object)) ?? null;
  const { output } = await runCommand({ launch, cwd, timeoutSeconds: 60, clock: systemClock });
  return { moved, read, ran: output };
}

const files: number[] = [];
try {
  for (;;) files.push(openSync("/dev/null", "r"));
} catch {
  // None is left.
}
const without = await startAll("refs/without");
for (const file of files) closeSync(file);
console.log(JSON.stringify({ without, afterwards: await startAll("refs/afterwards") }));
