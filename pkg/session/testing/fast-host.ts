/** A session host on the fast clock that hangs, its event loop blocked, as soon as its folder has a file `spin`. */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { systemRandom } from "../../system/system.ts";
import { runHost } from "../host.ts";
import { sessionFolder } from "../session-folder.ts";
import { fastClock } from "./fast-clock.ts";

const [path = ""] = process.argv.slice(2);
const { BOSUN_OUTERMOST, BOSUN_OUTER_PROC } = process.env;

setInterval(() => {
  while (existsSync(join(path, "spin"))) {
    // Hangs as long as the file is there.
  }
}, 10).unref();

await runHost({
  folder: sessionFolder(dirname(path), basename(path)),
  outermostPid: Number(BOSUN_OUTERMOST ?? process.pid),
  ...(BOSUN_OUTER_PROC === undefined ? {} : { outerProcHandle: Number(BOSUN_OUTER_PROC) }),
  clock: fastClock,
  random: systemRandom,
  exit: () => process.exit(1),
});
process.exit(0);
