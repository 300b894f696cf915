/** What other releases of kubectl say otherwise than the recorded one, whatever the server answers. */
import { type Kubectl, minorOf } from "../../kubectl/find.ts";
import type { Difference, PlayedStep } from "./play.ts";

interface Change {
  /** The first minor release that does so. */
  readonly since: number;
  readonly why: string;
  explains(difference: Difference, scenario: string, step: string): boolean;
}

const changes: readonly Change[] = [
  {
    since: 34,
    why: "names the namespace that it deleted from",
    explains: ({ at, expected, actual }) =>
      at.startsWith("stdout") &&
      String(actual).replace(/ deleted from \S+ namespace/, " deleted") === expected,
  },
  {
    since: 35,
    why: "scale tells of a missing object as the server does, no longer in words of its own",
    explains: ({ at }, scenario, step) =>
      at === "stderr class" &&
      scenario === "scale-wait" &&
      ["kind without scale", "scale none"].includes(step),
  },
];

/** Whether the step is as it should be, as far as this release can show. */
export function isKept(kubectl: Kubectl, scenario: string, { name, diffs }: PlayedStep): boolean {
  const made = changes.filter(({ since }) => minorOf(kubectl) >= since);
  return diffs.every((difference) => made.some((change) => change.explains(difference, scenario, name)));
}
