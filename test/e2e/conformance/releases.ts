/** Steps whose output depends on kubectl's own release, not on the server: of other releases only the exit code is judged. */
import { type Kubectl, minorOf } from "../../kubectl/find.ts";
import type { PlayedStep } from "./play.ts";

interface Change {
  readonly scenario: string;
  readonly steps: readonly string[];
  /** The minor releases that differ from the recorded one. */
  differs(minor: number): boolean;
  readonly why: string;
}

const changes: readonly Change[] = [
  {
    scenario: "scale-wait",
    steps: ["kind without scale", "scale none"],
    differs: (minor) => minor > 33,
    why: "says that an object is missing as the server said it, no longer as an error of its own",
  },
];

/** Whether the step is as it should be, as far as this release can show. */
export function isKept(kubectl: Kubectl, scenario: string, { name, structural, diffs }: PlayedStep): boolean {
  if (structural) return true;
  const isChanged = changes.some(
    (change) =>
      change.scenario === scenario && change.steps.includes(name) && change.differs(minorOf(kubectl)),
  );
  return isChanged && !diffs.some(({ at }) => at === "exit");
}
