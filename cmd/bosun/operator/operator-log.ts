import { appendFileSync } from "node:fs";
import path from "node:path";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { jsonLogger, type Logger } from "../../../pkg/runtime/logger.ts";

/** Writes to `operator.log` in `folder`, one JSON object a line. */
export function operatorLog(folder: string, clock: Clock): Logger {
  const file = path.join(folder, "operator.log");
  return jsonLogger((line) => write(file, line), clock);
}

/** A full disk must not end what goes on well without the line. */
function write(file: string, line: string): void {
  try {
    appendFileSync(file, line, { mode: 0o600 });
  } catch {
    // Nowhere to tell it: the terminal and the objects' conditions tell what a person has to know.
  }
}
