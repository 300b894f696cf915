/** A session host that does not do by itself what it does again and again: only the rest makes it look at its name. */
import { basename, dirname } from "node:path";
import type { Clock } from "../../runtime/clock.ts";
import { systemClock, systemRandom } from "../../system/system.ts";
import { runHost } from "../host.ts";
import { attemptVariable } from "../host-command.ts";
import { sessionFolder } from "../session-folder.ts";

const [...args] = process.argv.slice(2);
const path = args.pop() ?? "";
const { BOSUN_OUTERMOST, BOSUN_OUTER_PROC } = process.env;
/** The periods of what it does not do, in milliseconds: a host looks whether it may go on every 100, and beats every 1000. */
const periods = args.map(Number);

const clock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => (periods.includes(ms) ? new Promise(() => {}) : systemClock.sleep(ms, signal)),
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
