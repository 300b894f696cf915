/** The command `bosun`: the real world goes in here, an exit code comes out. */

import { fullDiskIn } from "./disk-failure.ts";
import { runProgram } from "./program.ts";
import { realContext } from "./real-context.ts";

for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // A line that a full disk does not take is lost; what it tells of goes on.
    if (fullDiskIn(error) !== undefined) return;
    if (error.code !== "EPIPE" || stream === process.stderr) throw error;
    // Whoever reads may have seen enough: `bosun logs agent-1 | head`.
    process.exit(0);
  });

process.exitCode = await runProgram(process.argv.slice(2), realContext());
