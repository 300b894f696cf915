import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import type { SessionSpec } from "../../../pkg/session/sessions.ts";
import { systemClock } from "../../../pkg/system/system.ts";
import { type EndingOptions, endingOf, keepAtStop, type SessionEndOptions } from "./ending.ts";
import type { StopFollower } from "./follow-stop.ts";

/** An operator with one session that runs. `ordered` has the orders that it was given, `kept` whose work is kept. */
function operatorUnder({ inForce }: { inForce: boolean }) {
  const sessions = mkdtempSync(join(tmpdir(), "bosun-ending-"));
  onTestFinished(() => rmSync(sessions, { recursive: true, force: true }));
  const claim = { kind: "Project", name: "project-1", uid: "u", number: 1 } as const;
  sessionFolder(sessions, "s").writeSpec({ purpose: "execute", agent: "agent-1", claim } as SessionSpec);
  const ordered: string[] = [];
  const kept = Promise.withResolvers<string>();
  let lives = true;
  const options = {
    folder: { sessions },
    settings: { spec: {} },
    clock: systemClock,
    logger: { warn: (message: string) => kept.reject(new Error(message)) },
    world: {
      sessions: {
        running: async () => (lives ? [{ id: "s", agent: "agent-1", pid: 1 }] : []),
        async stop(_id: string, how: string) {
          ordered.push(how);
          lives = how !== "Now";
        },
        find: async () => ({ is: lives ? "present" : "absent" }),
      },
      repository: {
        async keepWork(_claim: unknown, session: string) {
          kept.resolve(session);
          return { is: "present", value: "c0ffee" };
        },
      },
    },
  } as unknown as SessionEndOptions;
  let engage = () => {};
  const stop = {
    inForce: () => inForce,
    follow(engaged: () => void) {
      engage = engaged;
    },
  } as unknown as StopFollower;
  keepAtStop(stop, options);
  return { ordered, kept: kept.promise, engage: () => engage() };
}

test("an operator that drains has its controllers stop before its sessions: they would start again what it ends", async () => {
  const sessions = mkdtempSync(join(tmpdir(), "bosun-ending-"));
  onTestFinished(() => rmSync(sessions, { recursive: true, force: true }));
  let controllersRun = true;
  let lives = true;
  const nothing = async () => undefined;
  const options = {
    folder: { sessions },
    settings: { spec: {} },
    clock: systemClock,
    logger: { warn: () => undefined },
    acting: {
      async stop() {
        controllersRun = false;
      },
    },
    client: { list: async () => ({ items: [] }) },
    namespace: "default",
    undo: [],
    world: {
      sessions: {
        running: async () => (lives ? [{ id: "s", agent: "agent-1", pid: 1 }] : []),
        async stop() {
          lives = controllersRun;
        },
      },
      repository: { syncTarget: nothing },
      gateway: { stop: nothing },
    },
  };
  await endingOf(options as unknown as EndingOptions).drain();
  expect(lives).toBe(false);
}, 5_000);

test("an operator that starts while a stop is in force ends what still runs and keeps its work", async () => {
  const { ordered, kept } = operatorUnder({ inForce: true });
  expect(await kept).toBe("s");
  expect(ordered).toEqual(["Now"]);
});

test("an operator ends what runs and keeps its work when a stop comes, and not before", async () => {
  const { ordered, kept, engage } = operatorUnder({ inForce: false });
  expect(ordered).toEqual([]);
  engage();
  expect(await kept).toBe("s");
  expect(ordered).toEqual(["Now"]);
});
