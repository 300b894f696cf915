import { expect, test } from "vitest";
import type { Clock } from "../../runtime/clock.ts";
import type { SessionSpec } from "../sessions.ts";
import { failed, succeeded, type Toolbox } from "../tools/toolbox.ts";
import type { Entry, StampedEntry, Transcript } from "../transcript.ts";
import type { MessageParam } from "./blocks.ts";
import { messagesOf } from "./conversation.ts";
import { type LoopOptions, runLoop } from "./loop.ts";
import type { Model, TurnRequest } from "./model.ts";

const effects = 3;
const still: Clock = { now: () => 0, elapsed: () => 0, sleep: async () => undefined };
const spec = { run: 1, message: "Go.", maxTurns: 20, maxOutputTokens: 4000 } as SessionSpec;

class Crash extends Error {}

/** A disk that outlives hosts; it lets the host die before or after its `at`th line is on it. */
function disk(crash: { at: number; when: "before" | "after" | "never" }) {
  const lines: StampedEntry[] = [];
  let written = 0;
  const transcript = (): Transcript => {
    const entries = [...lines];
    return {
      entries,
      append(entry: Entry) {
        written += 1;
        const due = written === crash.at;
        if (due && crash.when === "before") throw new Crash();
        const stamped = { at: "", ...entry };
        lines.push(stamped);
        if (due && crash.when === "after") throw new Crash();
        entries.push(stamped);
      },
      close: () => undefined,
    };
  };
  return { lines, transcript, written: () => written };
}

/**
 * Calls `effect` three times with the number of the turn, one a turn, then hands in, in each run; what it is told does not
 * change its mind.
 */
const model: Model = {
  async ask({ messages, turn: told }: TurnRequest) {
    const turn = messages.filter(({ role }) => role === "assistant").length + 1;
    // By that the gateway knows what is asked again.
    expect(told).toBe(turn);
    const isLast = turn % (effects + 1) === 0;
    const call = isLast ? { name: "finish", input: {} } : { name: "effect", input: { turn } };
    return {
      is: "turn",
      content: [{ type: "tool_use", id: `call_${turn}`, ...call }],
      stopReason: "tool_use",
      inputTokens: 1,
    };
  },
};

function world() {
  const done: number[] = [];
  const toolbox: Toolbox = {
    definitions: [],
    reminder: "Go on.",
    limitMs: () => 1000,
    async run(name, input) {
      if (name === "finish") {
        return { ...succeeded("Handed in."), outcome: { kind: "Finished", summary: "Done.", evidence: [] } };
      }
      if (name !== "effect") return failed("unknown");
      done.push((input as { turn: number }).turn);
      return succeeded("ok");
    },
  };
  return { done, toolbox };
}

function run(
  transcript: Transcript,
  toolbox: Toolbox,
  {
    asks = model,
    around = {},
    ...told
  }: Partial<SessionSpec> & { asks?: Model; around?: Partial<LoopOptions> } = {},
) {
  return runLoop({
    spec: { ...spec, ...told } as SessionSpec,
    transcript,
    model: asks,
    toolbox,
    clock: still,
    random: { next: () => 0 },
    progress: {
      during: (_limitMs, work) => work(),
      beat: () => undefined,
      turned: () => undefined,
      refused: () => undefined,
    },
    failure: undefined,
    head: async () => undefined,
    pauseRequested: () => false,
    ...around,
  });
}

/** Both runs of a session to their outcome, by as many hosts as it takes. @returns how many of them died */
async function bothRuns(transcript: () => Transcript, toolbox: Toolbox): Promise<number> {
  let deaths = 0;
  for (let number = 1; number <= 2; ) {
    try {
      const outcome = await run(transcript(), toolbox, { run: number, message: `Go, ${number}.` });
      expect(outcome).toMatchObject({ kind: "Finished" });
      number += 1;
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      deaths += 1;
    }
  }
  return deaths;
}

/** A death before and after each line that `work` writes. */
async function crashesIn(work: (transcript: () => Transcript, toolbox: Toolbox) => Promise<unknown>) {
  const whole = disk({ at: 0, when: "never" });
  await work(whole.transcript, world().toolbox);
  return Array.from({ length: whole.written() }, (_, index) => index + 1).flatMap((at) => [
    { at, when: "before" as const },
    { at, when: "after" as const },
  ]);
}
const crashes = await crashesIn((transcript, toolbox) => run(transcript(), toolbox));

test.each(await crashesIn(bothRuns))(
  "a host that dies $when line $at of two runs is on disk is resumed, and no effect is repeated",
  async (crash) => {
    const { lines, transcript } = disk(crash);
    const { done, toolbox } = world();

    expect(await bothRuns(transcript, toolbox)).toBe(1);

    expect(new Set(done).size).toBe(done.length);
    for (const turn of [1, 2, 3, 5, 6, 7]) {
      const result = lines.find((line) => line.type === "done" && line.call === `call_${turn}`);
      const told = result?.type === "done" && result.isError;
      // What is not known to be done was done once or not at all, and the model knows that it doesn't know.
      expect(told || done.includes(turn)).toBe(true);
    }
    const results = lines.filter((line) => line.type === "done").map((line) => line.call);
    expect(new Set(results).size).toBe(results.length);
    expect(lines.filter((line) => line.type === "message")).toMatchObject([
      { run: 1, text: "Go, 1." },
      { run: 2, text: "Go, 2." },
    ]);
  },
);

test.each(crashes)(
  "a host that dies $when line $at is on disk, and goes on in a checkout that was made again, tells the model once",
  async (crash) => {
    for (let again = 1; again <= 4; again += 1) {
      const next = { ...crash };
      const { lines, transcript, written } = disk(next);
      const { done, toolbox } = world();
      await expect(run(transcript(), toolbox, { checkoutId: "first" })).rejects.toBeInstanceOf(Crash);
      const known = lines.length > 0;
      const doneBefore = done.length;
      // The next one dies too, wherever it is with telling.
      next.at = written() + again;
      await run(transcript(), toolbox, { checkoutId: "second" }).catch(() => undefined);
      expect(await run(transcript(), toolbox, { checkoutId: "second" })).toMatchObject({ kind: "Finished" });

      expect(lines.filter(({ type }) => type === "remade")).toHaveLength(known ? 1 : 0);
      if (!known) continue;
      const { content } = messagesOf(lines).find((one) => textsIn(one).includes("made again")) ?? {};
      // An API refuses results that do not come first.
      const kinds = typeof content === "string" ? [] : (content ?? []).map(({ type }) => type);
      expect(kinds).toEqual(
        [...kinds].sort((a, b) => (a === "tool_result" ? -1 : 0) - (b === "tool_result" ? -1 : 0)),
      );
      // What was asked for in the checkout that is gone has no effect on the other.
      const remade = lines.findIndex(({ type }) => type === "remade");
      const asked = lines.slice(0, remade).filter(({ type }) => type === "assistant").length;
      const late = done.slice(doneBefore).filter((turn) => turn <= asked);
      expect(late).toEqual([]);
    }
  },
);

function textsIn({ content }: MessageParam): string {
  return typeof content === "string"
    ? content
    : content.map((block) => (block.type === "text" ? block.text : "")).join("\n");
}

test("nothing that the model asked for beside handing in is done once it has handed in, nor in the next run, which tells it so first", async () => {
  const { lines, transcript } = disk({ at: 0, when: "never" });
  const { done, toolbox } = world();
  const hasty: Model = {
    async ask() {
      const calls = ["finish", "effect"].map(
        (name) => ({ type: "tool_use", id: name, name, input: { turn: 1 } }) as const,
      );
      return { is: "turn", content: calls, stopReason: "tool_use", inputTokens: 1 };
    },
  };
  expect(await run(transcript(), toolbox, { asks: hasty })).toMatchObject({ kind: "Finished" });
  expect(done).toEqual([]);

  expect(await run(transcript(), toolbox, { run: 2, message: "Again." })).toMatchObject({ kind: "Finished" });
  expect(done).toEqual([2, 3]);
  const told = lines.findIndex((line) => line.type === "done" && line.call === "effect");
  expect(lines[told]).toMatchObject({ isError: true });
  expect(lines[told + 1]).toMatchObject({ type: "message", run: 2 });
});

/** A model that refuses `refusals` times, each to be asked again after `waitSeconds`, and what is seen of who asks it. */
function refusing({ refusals, waitSeconds, pauseAtMs = Number.POSITIVE_INFINITY }: Refusing) {
  const is = { nowMs: 0, asked: 0, beatMs: 0, silentMsMax: 0, told: [] as (string | undefined)[] };
  const headers = new Headers({ "retry-after": String(waitSeconds) });
  const asks: Model = {
    async ask(request) {
      is.asked += 1;
      if (is.asked > refusals) return await model.ask(request);
      return { is: "error", answer: { status: 529, headers, message: `Overloaded, ${is.asked}.` } };
    },
  };
  const clock: Clock = {
    now: () => is.nowMs,
    elapsed: () => is.nowMs,
    async sleep(ms) {
      is.nowMs += ms;
      is.silentMsMax = Math.max(is.silentMsMax, is.nowMs - is.beatMs);
    },
  };
  const progress: LoopOptions["progress"] = {
    during: (_limitMs, work) => work(),
    beat() {
      is.beatMs = is.nowMs;
    },
    turned: () => undefined,
    refused: (why) => void is.told.push(why),
  };
  return { is, asks, around: { clock, progress, pauseRequested: () => is.nowMs >= pauseAtMs } };
}

interface Refusing {
  refusals: number;
  waitSeconds: number;
  /** When somebody asks it to pause. */
  pauseAtMs?: number;
}

test("a refused request is sent again after what was asked for, the loop seen to turn meanwhile, and people are told of the third", async () => {
  const { is, ...how } = refusing({ refusals: 4, waitSeconds: 90.5 });
  const { transcript } = disk({ at: 0, when: "never" });
  expect(await run(transcript(), world().toolbox, how)).toMatchObject({ kind: "Finished" });
  expect(is.nowMs).toBe(4 * 90_500);
  expect(is.silentMsMax).toBe(1_000);
  expect(is.told.slice(0, 3)).toEqual(["Overloaded, 3.", "Overloaded, 4.", undefined]);
});

test.each([
  { what: "in the midst of a long wait", pauseAtMs: 5_000, wantMs: 5_000 },
  { what: "before it waits", pauseAtMs: 0, wantMs: 0 },
])("who is asked to pause $what for the model pauses then", async ({ pauseAtMs, wantMs }) => {
  const { is, asks, around } = refusing({
    refusals: Number.POSITIVE_INFINITY,
    waitSeconds: 3_600,
    pauseAtMs,
  });
  // Before the first request nobody has asked.
  const pauseRequested = (): boolean => is.asked > 0 && around.pauseRequested();
  const { transcript } = disk({ at: 0, when: "never" });
  const outcome = await run(transcript(), world().toolbox, { asks, around: { ...around, pauseRequested } });
  expect(outcome).toMatchObject({ kind: "Paused", reason: "Requested" });
  expect(is.nowMs).toBe(wantMs);
});

test("answers that are lost four times in a row fail the run; one that arrives between them begins the count anew", async () => {
  const lost = { is: "lost", why: "The stream broke off." } as const;
  for (const { losses, want } of [
    { losses: [1, 2, 3, 5, 6, 7], want: { kind: "Finished" } },
    { losses: [1, 2, 3, 4], want: { kind: "Failed", reason: "AnswersLost" } },
  ]) {
    let asked = 0;
    const asks: Model = {
      async ask(request) {
        asked += 1;
        return losses.includes(asked) ? lost : await model.ask(request);
      },
    };
    const { transcript } = disk({ at: 0, when: "never" });
    expect(await run(transcript(), world().toolbox, { asks })).toMatchObject(want);
  }
});

test("a run that took all of its turns has as many again once it goes on, and the model is told why", async () => {
  const { transcript, lines } = disk({ at: 0, when: "never" });
  const limits = { maxTurns: 2 };
  const failure = await run(transcript(), world().toolbox, limits);
  if (failure.kind !== "Failed") throw new Error(`The run is ${failure.kind}.`);
  expect(failure.reason).toBe("TurnLimit");
  const again = { ...limits, around: { failure } };
  expect(await run(transcript(), world().toolbox, again)).toMatchObject({ kind: "Finished" });
  const restarts = lines.filter(({ type }) => type === "restart");
  expect(restarts).toMatchObject([{ text: expect.stringContaining(failure.message) }]);
});
