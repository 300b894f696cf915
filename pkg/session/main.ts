/**
 * The process of one session host: `node main.ts <folder of the session>`. With the stop latch as a second argument it
 * waits for its session first. Started by the manager alone.
 */
import { basename, dirname } from "node:path";
import { systemClock, systemRandom } from "../system/system.ts";
import { awaitSession } from "./await-session.ts";
import { runHost } from "./host.ts";
import { attemptVariable } from "./host-command.ts";
import { lastWords } from "./last-words.ts";
import { replaceFetchClasses } from "./runner/own-headers.ts";
import { sessionFolder } from "./session-folder.ts";
import type { Outcome } from "./sessions.ts";

const { BOSUN_OUTERMOST, BOSUN_OUTER_PROC } = process.env;
let outcome: Outcome | undefined;

/** Once a session was run to its end, most of what others will call is compiled. */
export const isWorthKeeping = (): boolean => outcome !== undefined && outcome.kind !== "Failed";

replaceFetchClasses();
run(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    // Last: who tells of a host that did not start tells how its log ends.
    console.error(lastWords(error));
    process.exit(1);
  },
);

async function run([path, stopLatch]: readonly string[]): Promise<void> {
  if (path === undefined) throw new Error("A session host is started with the folder of its session.");
  const told =
    stopLatch === undefined
      ? { attempt: process.env[attemptVariable] }
      : await awaitSession({
          stdin: process.stdin,
          stopLatch,
          clock: systemClock,
          exit: () => process.exit(0),
        });
  outcome = await runHost({
    ...told,
    folder: sessionFolder(dirname(path), basename(path)),
    outermostPid: Number(BOSUN_OUTERMOST ?? process.pid),
    ...(BOSUN_OUTER_PROC === undefined ? {} : { outerProcHandle: Number(BOSUN_OUTER_PROC) }),
    clock: systemClock,
    random: systemRandom,
    exit: () => process.exit(1),
  });
}
