/** What every `Sessions` does, real hosts and their simulated twin alike. */
import { describe, expect, test } from "vitest";
import type { SessionObservation, SessionSpec, Sessions } from "../../pkg/session/sessions.ts";

/** One fresh implementation whose sessions go on working until they are told to finish. */
export interface SessionsWorld {
  sessions: Sessions;
  /** A new execution session of `agent-1`. */
  spec(): SessionSpec;
  /** From now on sessions hand their work in at their next turn. */
  finish(): void;
  /** Lets time pass until `find` shows what is wanted; fails when that never happens. */
  until(id: string, wanted: (seen: SessionObservation) => boolean): Promise<SessionObservation>;
}

/**
 * Registers the suite for one implementation.
 *
 * @param open - called once a test, which does not close it
 */
export function sessionsContract(name: string, open: () => Promise<SessionsWorld>): void {
  describe(`${name} keeps the contract of Sessions`, () => {
    test("a session that was never started is absent, and stopping it is no error", async () => {
      const { sessions, spec } = await open();
      const { id } = spec();
      expect(await sessions.find(id)).toEqual({ is: "absent", report: undefined });
      await sessions.stop(id, "AfterTurn");
      await sessions.stop(id, "Now");
      expect(await sessions.running()).toEqual([]);
    });

    test("a started session is present with a report of its run, and is running", async () => {
      const { sessions, spec } = await open();
      const session = spec();
      await sessions.start(session);
      expect(await sessions.find(session.id)).toMatchObject({
        is: "present",
        report: { run: 1, tasksDone: [] },
      });
      expect(await sessions.running()).toMatchObject([{ id: session.id, agent: "agent-1" }]);
    });

    test("starting a living session changes nothing", async () => {
      const { sessions, spec } = await open();
      const session = spec();
      await Promise.all([sessions.start(session), sessions.start(session)]);
      const before = await sessions.find(session.id);
      await sessions.start(session);
      const after = await sessions.find(session.id);
      expect(hostOf(after)).toEqual(hostOf(before));
      expect(await sessions.running()).toHaveLength(1);
    });

    test("a session that is stopped now is gone by that order, and has no outcome", async () => {
      const { sessions, spec } = await open();
      const session = spec();
      await sessions.start(session);
      await sessions.stop(session.id, "Now");
      const seen = await sessions.find(session.id);
      expect(seen).toMatchObject({ is: "absent", report: { run: 1 }, ordered: true });
      expect(outcomeIn(seen)).toBeUndefined();
      expect(await sessions.running()).toEqual([]);
    });

    test("a host that is ended because it is lost was ended by no order, and neither was the one before it", async () => {
      const { sessions, spec } = await open();
      const session = spec();
      await sessions.start(session);
      await sessions.stop(session.id, "Now");
      await sessions.start(session);
      await sessions.stop(session.id, "Lost");
      const seen = await sessions.find(session.id);
      expect(seen).toMatchObject({ is: "absent", report: { run: 1 } });
      expect(seen).not.toHaveProperty("ordered");
    });

    test("a session that is stopped after its turn pauses, and a start goes on with the same run", async () => {
      const { sessions, spec, until } = await open();
      const session = spec();
      await sessions.start(session);
      await sessions.stop(session.id, "AfterTurn");
      const paused = await until(session.id, ({ is }) => is === "absent");
      expect(outcomeIn(paused)).toMatchObject({ kind: "Paused", reason: "Requested" });

      await sessions.start(session);
      const resumed = await sessions.find(session.id);
      expect(resumed).toMatchObject({ is: "present", report: { run: 1 } });
      expect(outcomeIn(resumed)).toBeUndefined();
    });

    test("the outcome of a finished run stays to be found, and the run is not started again", async () => {
      const { sessions, spec, until, finish } = await open();
      const session = spec();
      await sessions.start(session);
      finish();
      const ended = await until(session.id, ({ is }) => is === "absent");
      expect(outcomeIn(ended)).toMatchObject({ kind: "Finished" });

      await sessions.start(session);
      expect(await sessions.find(session.id)).toEqual(ended);
    });

    test("a new run begins after the outcome of the last, with no outcome of its own", async () => {
      const { sessions, spec, until, finish } = await open();
      const session = spec();
      await sessions.start(session);
      finish();
      await until(session.id, ({ is }) => is === "absent");

      await sessions.start({ ...session, run: 2, message: "Review feedback (cycle 2 of 3)" });
      const seen = await until(session.id, (now) => outcomeIn(now) !== undefined && now.is === "absent");
      expect(seen).toMatchObject({ report: { run: 2, outcome: { kind: "Finished" } } });
    });

    test("who subscribed is woken with the agent's name when the run ends", async () => {
      const { sessions, spec, until, finish } = await open();
      const watching = new AbortController();
      const woken: string[] = [];
      sessions.subscribe((agent) => woken.push(agent), watching.signal);
      const session = spec();
      await sessions.start(session);
      await until(session.id, ({ is }) => is === "present");
      woken.length = 0;
      finish();
      await until(session.id, ({ is }) => is === "absent" && woken.length > 0);
      watching.abort();
      expect(new Set(woken)).toEqual(new Set(["agent-1"]));
    });
  });
}

function hostOf(seen: SessionObservation): unknown {
  return seen.is === "present" ? { pid: seen.pid, startedAtMs: seen.startedAtMs } : seen.is;
}

function outcomeIn(seen: SessionObservation): unknown {
  return seen.is === "unknown" ? undefined : seen.report?.outcome;
}
