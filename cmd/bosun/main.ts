/** The command `bosun`: the real world goes in here, an exit code comes out. */

import { runProgram } from "./program.ts";
import { realContext } from "./real-context.ts";

process.exitCode = await runProgram(process.argv.slice(2), realContext());
