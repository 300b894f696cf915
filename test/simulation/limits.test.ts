/** Limits and stuck detection, whatever becomes of clocks and operators: never early, and no later than is said. */
import { expect, test } from "vitest";
import { type Story, tell } from "./story.ts";
import type { Ends } from "./world/conduct.ts";

const second = 1000;
const hour = 3600 * second;
/** How long after its time a limit is noticed at the latest: a look every ten minutes, and a minute for what follows. */
const latenessMs = 660 * second;
const everyMinutes = 7;

type Disturbance = (story: Story, round: number) => Promise<void> | void;

const jump =
  (...hours: number[]): Disturbance =>
  (story, round) =>
    story.world.scheduler.jumpWall((hours[round % hours.length] ?? 0) * hour);

const restart = (minutesDown: number): Disturbance => {
  return async (story) => {
    story.operator.crash();
    if (minutesDown > 0) await story.minutes(minutesDown);
    story.operator.start();
  };
};

const disturbances: [string, Disturbance][] = [
  ["nothing happens", () => undefined],
  ["the clock is set an hour forward again and again", jump(1)],
  ["the clock is set an hour back again and again", jump(-1)],
  ["the clock is set a day forward and back", jump(24, -24)],
  ["the clock is set a day back again and again", jump(-24)],
  ["the operator is killed again and again", restart(0)],
  ["the operator is away for five minutes again and again", restart(5)],
  [
    "the operator is killed and the clock jumps meanwhile",
    async (story, round) => {
      await jump(24, -1, 1, -24)(story, round);
      await restart(2)(story, round);
    },
  ],
];

/** Lets `what` come about under a disturbance every seven minutes. @returns milliseconds that it took */
async function timeUntil(story: Story, holds: () => unknown, disturb: Disturbance): Promise<number> {
  const { scheduler } = story.world;
  const startMs = scheduler.elapsedMs;
  for (let round = 0; !holds(); round += 1) {
    if (scheduler.elapsedMs - startMs > 12 * hour) throw new Error("It never came to this.");
    const untilMs = scheduler.elapsedMs + everyMinutes * 60 * second;
    const ended = await scheduler.run({ untilMs, stepsMax: 200_000, afterEachStep: () => Boolean(holds()) });
    if (ended === "steps") throw new Error("So much happens that the time does not pass.");
    if (!holds()) await disturb(story, round);
  }
  return scheduler.elapsedMs - startMs;
}

const ends = (purpose: string, how: Ends, turns: number) => (spec: { purpose: string }) =>
  spec.purpose === purpose ? { ends: how, turns } : undefined;

test.each(disturbances)("a project times out after its hours of work when %s", async (_name, disturb) => {
  const story = await tell({ temper: { script: ends("execute", "Done", 10_000) } });
  await story.project("retry", { limits: { projectSeconds: 7200 } });
  await story.until("it is worked on", () => story.works("retry"));
  const tookMs = await timeUntil(story, () => story.phase("retry") === "Abandoned", disturb);
  expect(tookMs).toBeGreaterThanOrEqual(7200 * second);
  expect(tookMs).toBeLessThan(7200 * second + latenessMs);
  expect(story.condition("Project", "retry", "Abandoned")?.reason).toBe("TimedOut");
});

test("a project times out after its hours of work, however many claims they are spread over", async () => {
  const story = await tell({ temper: { script: ends("execute", "Done", 10_000) } });
  await story.project("retry", { limits: { projectSeconds: 7200 } });
  for (let claims = 1; claims <= 3; claims += 1) {
    await story.until("it is worked on", () => story.works("retry"));
    expect(story.the("Project", "retry").status?.claim?.number).toBe(claims);
    await story.minutes(35);
    await story.patch("Project", "retry", { skip: true });
    await story.until("it is let go", () => story.the("Project", "retry").status?.claim === undefined);
    await story.patch("Project", "retry", { skip: false });
  }
  await story.until("it is worked on again", () => story.works("retry"));
  const tookMs = await timeUntil(
    story,
    () => story.phase("retry") === "Abandoned",
    () => undefined,
  );
  expect(tookMs).toBeLessThan((7200 - 3 * 2100) * second + latenessMs);
});

test.each(disturbances)("a silent session is stuck after half an hour when %s", async (_name, disturb) => {
  const story = await tell({ temper: { script: ends("execute", "Silent", 3) } });
  await story.projects("retry");
  const silent = (): boolean => story.world.sessions.hosts()[0]?.conduct.silentNow === true;
  await story.until("it is silent", silent);
  const tookMs = await timeUntil(story, () => story.escalation("Stuck"), disturb);
  // What was still before the last turn counts, too: of that there may be two turns of five minutes.
  expect(tookMs).toBeGreaterThanOrEqual(1200 * second);
  expect(tookMs).toBeLessThan(1800 * second + latenessMs);
});

test.each(disturbances)("a review times out after its hours of work when %s", async (_name, disturb) => {
  const story = await tell({ temper: { script: ends("review", "Done", 10_000) } });
  await story.projects("retry");
  const review = () => story.world.api.objects("Review")[0]?.status;
  const begun = (): boolean => story.world.sessions.hosts().some(({ spec }) => spec.purpose === "review");
  await story.until("it is reviewed", begun);
  const tookMs = await timeUntil(story, () => (review()?.timeouts ?? 0) > 0, disturb);
  expect(tookMs).toBeGreaterThanOrEqual(7200 * second);
  expect(tookMs).toBeLessThan(7200 * second + latenessMs);
});
