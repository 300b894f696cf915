import type { TestContext } from "vitest";
import { systemClock } from "../../system/system.ts";
import { sandboxAvailable } from "../available.ts";

/** Whether the sandbox works on this machine. */
export const sandbox = await sandboxAvailable(systemClock);

/** Skips a test that needs the sandbox where there is none, and says so. */
export function needSandbox(context: TestContext): void {
  if (sandbox.available) return;
  console.warn(`Skipped: ${sandbox.why}`);
  context.skip(sandbox.why);
}
