/** A session host that looks neither at the stop latch nor at its name by itself: only what it is about to do makes it. */
import { basename, dirname } from "node:path";
import type { Clock } from "../../runtime/clock.ts";
import { systemClock, systemRandom } from "../../system/system.ts";
import { runHost } from "../host.ts";
import { attemptVariable } from "../host-command.ts";
import { sessionFolder } from "../session-folder.ts";

const [path = ""] = process.argv.slice(2);
const { BOSUN_OUTERMOST, BOSUN_OUTER_PROC } = process.env;
/** How often a host looks by itself, in milliseconds. */
const looks = [100, 1000];

const clock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => (looks.includes(ms) ? new Promise(() => {}) : systemClock.sleep(ms, signal)),
};

await runHost({
  folder: sessionFolder(dirname(path), basename(path)),
  attempt: process.env[attemptVariable],
  outermostPid: Number(BOSUN_OUTERMOST ?? process.pid),
  ...(BOSUN_OUTER_PROC === undefined ? {} : { outerProcHandle: Number(BOSUN_OUTER_PROC) }),
  clock,
  random: systemRandom,
  exit: () => process.exit(1),
});
process.exit(0);
