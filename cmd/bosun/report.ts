import { StatusError } from "../../pkg/api/status-error.ts";
import type { Context } from "./context.ts";
import { diskAdvice } from "./disk-failure.ts";
import { programAdvice } from "./program-failure.ts";
import { UserError } from "./user-error.ts";

/** Tells a person what went wrong; gives the exit code. Stacks are shown with BOSUN_DEBUG=1 only. */
export function report(error: unknown, { note, env }: Pick<Context, "note" | "env">): 1 | 2 {
  const advice = error instanceof UserError ? undefined : (programAdvice(error) ?? diskAdvice(error));
  const said = messageOf(error);
  note(`bosun: ${said}${advice === undefined ? "" : `${said.endsWith(".") ? "" : "."} ${advice}`}`);
  const isDebugging = env.BOSUN_DEBUG === "1";
  if (isDebugging && error instanceof Error) note(error.stack ?? "");
  if (!isDebugging && advice === undefined && !isExpected(error))
    note("This looks like a bug in Bosun. BOSUN_DEBUG=1 shows where it happened.");
  return error instanceof UserError ? error.exitCode : 1;
}

function messageOf(error: unknown): string {
  if (error instanceof StatusError && error.reason === "Conflict") {
    return `${error.message}. Somebody else changed it at the same time: try again.`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** Refusals of the API and the runtime's own classes say what to do by themselves. */
function isExpected(error: unknown): boolean {
  const classes = ["UserError", "StatusError", "TransientError", "WaitingError", "TerminalError"];
  return error instanceof Error && classes.includes(error.name);
}
