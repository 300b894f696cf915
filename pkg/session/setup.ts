import { statSync } from "node:fs";
import type { Progress } from "./runner/loop.ts";
import type { SessionFolder } from "./session-folder.ts";
import type { Outcome, SessionSpec } from "./sessions.ts";
import type { Workplace } from "./tools/workplace.ts";

export interface SetupOptions {
  spec: SessionSpec;
  folder: Pick<SessionFolder, "readSetup" | "writeSetup">;
  place: Workplace;
  progress: Pick<Progress, "during">;
}

/** How much longer than its own limit a command may take to be ended, in milliseconds. */
const endMs = 10_000;
/** What a status can hold of it. */
const outputCharsMax = 700;

/**
 * Makes an author's checkout ready. A setup that completed is not repeated in the same checkout unless the command
 * has changed; one that was cut short or failed is.
 *
 * @returns why the run can't go on; undefined when it can
 */
export async function setUp({
  spec,
  folder,
  place,
  progress,
}: SetupOptions): Promise<(Outcome & { kind: "Failed" }) | undefined> {
  const { setup, checkout, purpose } = spec;
  if (setup === undefined || purpose !== "execute") return undefined;
  const record = { checkout: identityOf(checkout), run: setup.run };
  const known = folder.readSetup();
  if (known?.checkout === record.checkout && known.run === record.run) return undefined;

  const limitMs = setup.timeoutSeconds * 1000 + endMs;
  const { exitCode, timedOut, output } = await progress.during(limitMs, () => place.setUp(setup));
  if (exitCode === 0 && !timedOut) {
    folder.writeSetup(record);
    return undefined;
  }
  const how = timedOut ? `was ended after ${setup.timeoutSeconds} seconds` : `exited with ${exitCode}`;
  const tail = output.trim().slice(-outputCharsMax);
  return {
    kind: "Failed",
    reason: "SetupFailed",
    message: `spec.commands.setup (\`${setup.run.slice(0, 100)}\`) ${how}. Its output ends:\n${tail}`,
  };
}

/** Differs for a folder that was removed and made again under the same name. */
function identityOf(path: string): string {
  const { dev, ino, birthtimeMs } = statSync(path);
  return [path, dev, ino, birthtimeMs].join(" ");
}
