/** The command `bosun`: the real world goes in here, an exit code comes out. */

import { runProgram } from "./program.ts";
import { realContext } from "./real-context.ts";

// Whoever reads may have seen enough: `bosun logs agent-1 | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

process.exitCode = await runProgram(process.argv.slice(2), realContext());
