/** Which scenarios hold, and how well: a list that only grows. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { findKubectls, recordedRelease } from "../../kubectl/find.ts";
import { type Kind, type Level, levelOf, play } from "./play.ts";

const file = path.join(import.meta.dirname, "levels.json");

/** What each scenario reached; one that is not named reached `some`. */
export type Levels = Readonly<Record<Kind, Readonly<Record<string, Level>>>>;

export function readLevels(): Levels {
  return JSON.parse(readFileSync(file, "utf8")) as Levels;
}

/** Plays everything and writes down what holds. */
export async function writeLevels(): Promise<void> {
  const kubectl = findKubectls().find(({ release }) => release === recordedRelease);
  if (kubectl === undefined)
    throw new Error(`There is no kubectl ${recordedRelease}. Run: node test/kubectl/install.ts`);
  const [http, withKubectl] = await Promise.all([play("http"), play("kubectl", kubectl.path)]);
  const levels = [http, withKubectl].map((played) =>
    Object.fromEntries(
      [...played.values()]
        .map((scenario) => [scenario.name, levelOf(scenario)] as const)
        .filter(([, level]) => level !== "some"),
    ),
  );
  writeFileSync(file, `${JSON.stringify({ http: levels[0], kubectl: levels[1] }, null, 2)}\n`);
}
