import path from "node:path";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { jsonLogger, type Logger } from "../../../pkg/runtime/logger.ts";
import { RotatingFile } from "../../../pkg/system/rotating-file.ts";

/** Of each file. */
const bytesMax = 4 * 1024 * 1024;
/** Beside the one that is written to: `operator.log.1` is the newest. */
const kept = 3;

/**
 * Writes to `operator.log` in `folder`, one JSON object a line; older lines are in `operator.log.1` to `.3`. A full disk
 * does not end what goes on well without the line: once there is room again, a warning says how many are missing.
 *
 * @param append - where the lines go instead, in tests
 */
export function operatorLog(
  folder: string,
  clock: Clock,
  append: (line: string) => void = appendTo(folder),
): Logger {
  let lost = 0;
  const written = (line: string): boolean => {
    try {
      append(line);
      return true;
    } catch {
      // Nowhere to tell it: the terminal and the objects' conditions tell what a person has to know.
      lost += 1;
      return false;
    }
  };
  const logger = jsonLogger((line) => {
    if (!written(line) || lost === 0) return;
    const lines = lost;
    lost = 0;
    logger.warn("Lines before the last one are missing: they could not be written", { lines });
  }, clock);
  return logger;
}

function appendTo(folder: string): (line: string) => void {
  const file = new RotatingFile({ path: path.join(folder, "operator.log"), bytesMax, kept });
  return (line) => file.append(line);
}
