import { humanDuration } from "../api/human-duration.ts";
import { TransientError } from "../runtime/errors.ts";
import { shellWord } from "../system/shell-word.ts";
import { withoutSettings } from "./limits.ts";
import type { LateProcess } from "./process.ts";

/** That a git did not end within `ms`. Whoever gets it knows nothing of what it asked, nor whether what it wanted is done. */
export function gitTimedOut(
  { args, cwd, ms }: { args: readonly string[]; cwd: string; ms: number },
  { fate, pid }: Pick<LateProcess, "fate" | "pid">,
): TransientError {
  const command = ["git", ...withoutSettings(args)].map(shellWord).join(" ").slice(0, 300);
  const ended =
    fate === "Ended" ? "and was ended" : `and goes on as process ${pid}, or what that has started`;
  return new TransientError(
    "GitTimedOut",
    `${command} in ${cwd} did not end within ${humanDuration(ms)} ${ended}. What it did is looked at anew. Run it ` +
      "there by hand to see what it waits for: a disk that does not answer, a filter, a prompt.",
  );
}
