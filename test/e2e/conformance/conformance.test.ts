/** What a kube-apiserver answered, asked of `bosun apiserver` over HTTPS: by plain requests, and by real kubectls. */
import { beforeAll, describe, expect, test } from "vitest";
import { findKubectls, type Kubectl, minorOf, recordedRelease } from "../../kubectl/find.ts";
import { complaints, isSaid, type PlayedScenario, play, scenarioNames } from "./play.ts";
import { isKept } from "./releases.ts";

type Played = ReadonlyMap<string, PlayedScenario>;
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
  test.each(scenarioNames("http"))("%s", (name) => hold(name, http.get(name)));
});

describe(`with kubectl ${recordedRelease}`, () => {
  test.skipIf(isMissing(recorded, `kubectl ${recordedRelease}`)).each(scenarioNames("kubectl"))(
    "%s",
    (name) => hold(name, byRelease.get(recordedRelease)?.get(name)),
  );
});

describe.each([
  ["an older kubectl", older],
  ["a newer kubectl", newer],
])("with %s", (what, kubectl) => {
  test.skipIf(isMissing(kubectl, what)).each(scenarioNames("kubectl"))("%s", (name) => {
    if (kubectl === undefined) return;
    const { steps } = wholly(name, byRelease.get(kubectl.release)?.get(name));
    expect(complaints(steps.filter((step) => !isKept(kubectl, name, step)))).toEqual([]);
  });
});

/** Every step of the scenario is as recorded, in its messages too. */
function hold(name: string, played: PlayedScenario | undefined): void {
  const { steps } = wholly(name, played);
  expect(complaints(steps.filter((step) => !step.structural || !isSaid(step)))).toEqual([]);
}

function wholly(name: string, played: PlayedScenario | undefined): PlayedScenario {
  if (played === undefined || played.steps.length === 0) throw new Error(`${name} was not played`);
  return played;
}

function isMissing(kubectl: Kubectl | undefined, what: string): boolean {
  if (kubectl === undefined)
    console.warn(`SKIPPED: ${what} is not on this machine. Run: node test/kubectl/install.ts`);
  return kubectl === undefined;
}
