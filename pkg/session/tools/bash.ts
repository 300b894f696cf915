import { failed, succeeded, type Tool } from "./toolbox.ts";
import type { Workplace } from "./workplace.ts";

/** A command in the checkout, with standard output and error as they came. */
export function bashTool(place: Workplace, timeoutSeconds: number): Tool<{ command: string }> {
  return {
    name: "bash",
    description:
      "Runs a command with `bash -c` in the checkout and returns what it prints. Each call is a new shell: " +
      `nothing but files remains. There is no network. A command is ended after ${timeoutSeconds} seconds, and ` +
      "with it all that it started.",
    schema: {
      type: "object",
      properties: { command: { type: "string", minLength: 1, maxLength: 100_000 } },
      required: ["command"],
      additionalProperties: false,
    },
    limitMs: (timeoutSeconds + 10) * 1000,
    async run({ command }) {
      const { exitCode, timedOut, output } = await place.run(command, timeoutSeconds);
      if (timedOut) return failed(`${output}\n[ended after ${timeoutSeconds} seconds]`);
      return exitCode === 0 ? succeeded(output) : failed(`${output}\n[exit code ${exitCode}]`);
    },
  };
}
