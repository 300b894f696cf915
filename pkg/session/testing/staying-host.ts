/** A session host that stays after it has said how its run ended. */
import { basename, dirname } from "node:path";
import { systemClock, systemRandom } from "../../system/system.ts";
import { runHost } from "../host.ts";
import { attemptVariable } from "../host-command.ts";
import { sessionFolder } from "../session-folder.ts";

const [path = ""] = process.argv.slice(2);
const { BOSUN_OUTERMOST, BOSUN_OUTER_PROC } = process.env;

await runHost({
  folder: sessionFolder(dirname(path), basename(path)),
  attempt: process.env[attemptVariable],
  outermostPid: Number(BOSUN_OUTERMOST ?? process.pid),
  ...(BOSUN_OUTER_PROC === undefined ? {} : { outerProcHandle: Number(BOSUN_OUTER_PROC) }),
  clock: systemClock,
  random: systemRandom,
  exit: () => process.exit(1),
});
setInterval(() => undefined, 1_000_000);
