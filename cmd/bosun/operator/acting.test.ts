import { expect, test } from "vitest";
import { silentLogger } from "../../../pkg/runtime/logger.ts";
import type { Manager } from "../../../pkg/runtime/manager.ts";
import { settled } from "../../../pkg/runtime/testing/clock.ts";
import { keepActing, type Right } from "./acting.ts";

/** Controllers that only tell which of them run, and where a read was answered. */
function crew() {
  const running: string[] = [];
  let made = 0;
  let fill = (): void => {};
  let hasStopped = (): void | Promise<void> => {};
  /** Caches that hold nothing yet answer once they do; who waits is told when their controllers stop. */
  let cacheAnswers = (name: string): Promise<unknown> => Promise.resolve(name);
  function newManager(): Manager {
    made += 1;
    const name = `cache ${made}`;
    const answer = () => cacheAnswers(name);
    const api = async () => "API";
    const manager = {
      client: { get: answer, list: answer, fresh: { get: api, list: api } },
      async start() {
        running.push(name);
        await new Promise<void>((resolve) => {
          fill = resolve;
        });
      },
      async stop() {
        const over = hasStopped();
        // A start that waits for caches ends with it, and so does a read.
        fill();
        await over;
        const at = running.indexOf(name);
        if (at >= 0) running.splice(at, 1);
      },
    };
    return manager as unknown as Manager;
  }
  return {
    running,
    newManager,
    fill: () => fill(),
    cachesAnswer(answers: typeof cacheAnswers) {
      cacheAnswers = answers;
    },
    onStop(tell: typeof hasStopped) {
      hasStopped = tell;
    },
  };
}

/** The right to act, in the hands of the test; given as soon as it is asked for while it is free. */
function lease() {
  let lose = new AbortController();
  let give: (() => void) | undefined;
  const it = { isFree: false };
  const right = (): Right => ({
    lost: lose.signal,
    regain: (signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        give = () => {
          lose = new AbortController();
          resolve(right());
        };
        if (it.isFree) give();
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  });
  return Object.assign(it, {
    first: right(),
    lose: () => lose.abort(),
    give: () => give?.(),
    isAwaited: () => give !== undefined,
  });
}

const key = { namespace: "default", name: "retry" };

async function acting() {
  const controllers = crew();
  const right = lease();
  const { signal } = new AbortController();
  const starting = keepActing(controllers.newManager, { right: right.first, signal, logger: silentLogger });
  await settled();
  controllers.fill();
  return { ...controllers, right, acting: await starting };
}

test("while the right is lost no controller runs and reads are the API's; then others do, with caches of their own", async () => {
  const { running, fill, right, acting: it } = await acting();
  expect([running, await it.reads.get("Project", key)]).toEqual([["cache 1"], "cache 1"]);
  for (const next of ["cache 2", "cache 3"]) {
    right.lose();
    await settled();
    expect(running).toEqual([]);
    expect([await it.reads.get("Project", key), await it.reads.list("Project")]).toEqual(["API", "API"]);
    right.give();
    await settled();
    // They run, and know nothing yet.
    expect([running, await it.reads.get("Project", key)]).toEqual([[next], "API"]);
    fill();
    await settled();
    expect([await it.reads.get("Project", key), await it.reads.list("Project")]).toEqual([next, next]);
  }
  await it.stop();
  expect(running).toEqual([]);
});

test("what controllers are still at when the right is lost is over before others begin, however soon it comes back", async () => {
  const { running, fill, right, onStop, acting: it } = await acting();
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  onStop(() => over);
  right.isFree = true;
  right.lose();
  await settled();
  expect(running).toEqual(["cache 1"]);
  end();
  await settled();
  expect(running).toEqual(["cache 2"]);
  fill();
  await it.stop();
});

test("a read that waits for caches whose controllers stop is answered by the API; else its failure is told", async () => {
  const { right, cachesAnswer, onStop, acting: it } = await acting();
  const failure = new Error("no answer");
  let fail = (): void => {};
  cachesAnswer(
    () =>
      new Promise((_, reject) => {
        fail = () => reject(failure);
      }),
  );
  const told = it.reads.get("Project", key);
  fail();
  await expect(told).rejects.toBe(failure);

  const waits = it.reads.list("Project");
  onStop(() => fail());
  right.lose();
  expect(await waits).toBe("API");
});

test("from a stop on, reads are the API's, those that wait for caches too: each end told of a person who could not be notified", async () => {
  const { cachesAnswer, onStop, acting: it } = await acting();
  const waiting = Promise.withResolvers<unknown>();
  cachesAnswer(() => waiting.promise);
  const waits = it.reads.list("Project");
  onStop(() => waiting.reject(new Error("The manager stops")));
  const stopped = it.stop();
  expect(await waits).toBe("API");
  await stopped;
  cachesAnswer(async () => "what was so at the stop");
  expect([await it.reads.get("Project", key), await it.reads.list("Project")]).toEqual(["API", "API"]);
});

test("a stop ends the wait for the right, and no controller runs afterwards though it comes", async () => {
  const { running, right, acting: it } = await acting();
  right.lose();
  await settled();
  expect(right.isAwaited()).toBe(true);
  await it.stop();
  right.give();
  await settled();
  expect(running).toEqual([]);
});

test("a stop at any moment of a loss and what follows ends, and no controller runs afterwards", async () => {
  for (let turns = 0; turns < 20; turns += 1) {
    const { running, right, acting: it } = await acting();
    right.isFree = true;
    right.lose();
    // Caches hold nothing from now on, as if the API were away.
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    const ended = await Promise.race([it.stop().then(() => "ended"), settled().then(() => "it waits")]);
    expect([ended, running], `after ${turns} turns`).toEqual(["ended", []]);
    await settled();
    expect(running, `after ${turns} turns`).toEqual([]);
    expect(await it.reads.get("Project", key), `after ${turns} turns`).toBe("API");
  }
});

test("a start that is interrupted before the caches hold anything leaves no controller: in a cluster nobody else waits", async () => {
  const { running, newManager } = crew();
  const stopping = new AbortController();
  const given = { right: lease().first, signal: stopping.signal, logger: silentLogger };
  const starting = keepActing(newManager, given);
  await settled();
  expect(running).toEqual(["cache 1"]);
  stopping.abort(new Error("Ctrl-C"));
  await expect(starting).rejects.toThrow("Ctrl-C");
  expect(running).toEqual([]);
});

test("where the right can't be lost an interrupted start comes to its end, so that it is stopped in order", async () => {
  const { running, newManager, fill } = crew();
  const signal = AbortSignal.abort(new Error("Ctrl-C"));
  const starting = keepActing(newManager, { right: undefined, signal, logger: silentLogger });
  const before = await Promise.race([starting, settled().then(() => "it waits for the caches")]);
  expect(before).toBe("it waits for the caches");
  fill();
  const it = await starting;
  expect([running, await it.reads.get("Project", key)]).toEqual([["cache 1"], "cache 1"]);
  await it.stop();
  expect(running).toEqual([]);
});
