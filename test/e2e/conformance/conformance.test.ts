/** What a kube-apiserver answered, asked of `bosun apiserver` over HTTPS: by plain requests, and by real kubectls. */
import { beforeAll, describe, expect, test } from "vitest";
import { findKubectls, type Kubectl, minorOf, recordedRelease } from "../../kubectl/find.ts";
import { readLevels } from "./levels.ts";
import { complaints, type Kind, levelOf, type PlayedScenario, play, scenarioNames } from "./play.ts";
import { isKept } from "./releases.ts";

type Played = ReadonlyMap<string, PlayedScenario>;
const levels = readLevels();
const kubectls = findKubectls();
const recorded = kubectls.find(({ release }) => release === recordedRelease);
const older = kubectls.filter((kubectl) => minorOf(kubectl) >= 30 && kubectl.release < recordedRelease)[0];
const newer = kubectls.filter((kubectl) => kubectl.release > recordedRelease).at(-1);

let http: Played;
const byRelease = new Map<string, Played>();
beforeAll(async () => {
  const runs = [recorded, older, newer].filter((kubectl) => kubectl !== undefined);
  // Most of their time is waiting: for events that must not come, and for each other's processes.
  const [plain, ...withKubectl] = await Promise.all([
    play("http"),
    ...runs.map((kubectl) => play("kubectl", kubectl.path)),
  ]);
  http = plain;
  for (const [index, played] of withKubectl.entries()) byRelease.set(runs[index]?.release ?? "", played);
}, 300_000);

describe("over HTTP", () => {
  test.each(scenarioNames("http"))("%s", (name) => hold("http", name, http.get(name)));
});

describe(`with kubectl ${recordedRelease}`, () => {
  test.skipIf(isMissing(recorded, `kubectl ${recordedRelease}`)).each(scenarioNames("kubectl"))(
    "%s",
    (name) => hold("kubectl", name, byRelease.get(recordedRelease)?.get(name)),
  );
});

describe.each([
  ["an older kubectl", older],
  ["a newer kubectl", newer],
])("with %s", (what, kubectl) => {
  test.skipIf(isMissing(kubectl, what)).each(scenarioNames("kubectl"))("%s", (name) => {
    if (kubectl === undefined) return;
    const played = byRelease.get(kubectl.release)?.get(name);
    if (played === undefined) throw new Error(`${name} was not played`);
    // What does not hold with the recorded release is that one's test to tell.
    if (levels.kubectl[name] === undefined) return;
    const lost = played.steps.filter((step) => !isKept(kubectl, name, step));
    expect(complaints({ name, steps: lost })).toEqual([]);
  });
});

/** The scenario reaches the level that is written down: less is a regression, and more is to be kept. */
function hold(kind: Kind, name: string, played: PlayedScenario | undefined): void {
  if (played === undefined) throw new Error(`${name} was not played`);
  const reached = levelOf(played);
  const wanted = levels[kind][name] ?? "some";
  const advice =
    rank[reached] > rank[wanted]
      ? "More of it holds than before. Write that down: npm run conformance -- --update"
      : `Held before, and no more:\n${complaints(played).join("\n")}`;
  expect(reached, advice).toBe(wanted);
}

const rank = { some: 0, structure: 1, all: 2 };

function isMissing(kubectl: Kubectl | undefined, what: string): boolean {
  if (kubectl === undefined)
    console.warn(`SKIPPED: ${what} is not on this machine. Run: node test/kubectl/install.ts`);
  return kubectl === undefined;
}
