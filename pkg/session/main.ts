/**
 * The process of one session host: `node main.ts <folder of the session>`. With the stop latch as a second argument it
 * waits for its session first. Started by the manager alone.
 */
import { basename, dirname } from "node:path";
import { systemClock, systemRandom } from "../system/system.ts";
import { awaitSession } from "./await-session.ts";
import { runHost } from "./host.ts";
import { attemptVariable } from "./host-command.ts";
import { sessionFolder } from "./session-folder.ts";

const [path, stopLatch] = process.argv.slice(2);
if (path === undefined) throw new Error("A session host is started with the folder of its session.");

const { BOSUN_OUTERMOST, BOSUN_OUTER_PROC } = process.env;
try {
  const told =
    stopLatch === undefined
      ? { attempt: process.env[attemptVariable] }
      : await awaitSession({
          stdin: process.stdin,
          stopLatch,
          clock: systemClock,
          exit: () => process.exit(0),
        });
  await runHost({
    ...told,
    folder: sessionFolder(dirname(path), basename(path)),
    outermostPid: Number(BOSUN_OUTERMOST ?? process.pid),
    ...(BOSUN_OUTER_PROC === undefined ? {} : { outerProcHandle: Number(BOSUN_OUTER_PROC) }),
    clock: systemClock,
    random: systemRandom,
    exit: () => process.exit(1),
  });
} catch (error) {
  console.error(error);
  // Last: who tells of a host that did not start tells how its log ends.
  console.error(`The session host ended: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
process.exit(0);
