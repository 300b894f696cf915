import { expect, test } from "vitest";
import type { WorkspaceMode, WorkspaceStop } from "../../pkg/api/generated.ts";
import type { RunningSession } from "../../pkg/session/sessions.ts";
import type { FollowedLatch, LatchSeen } from "../../pkg/session/stop-latch.ts";
import { aWorkspace, NOW } from "../testing/objects.ts";
import { openWorld, type TestWorld } from "../testing/world.ts";
import { workspaceController } from "./controller.ts";

const KEY = { namespace: "default", name: "workspace" };

/** A stop latch of which each stop is another letter. */
class Latch implements FollowedLatch {
  seen: LatchSeen;
  /** What happens while it is engaged or released. */
  meanwhile: () => Promise<unknown> = async () => undefined;

  constructor(seen: Partial<LatchSeen> = {}) {
    this.seen = { engaged: undefined, released: undefined, ...seen };
  }

  look = async () => this.seen;
  engaged = async () => this.seen.engaged !== undefined;
  async engage(): Promise<void> {
    this.seen = { engaged: "new", released: undefined };
    await this.meanwhile();
  }
  async release(only?: string): Promise<void> {
    await this.meanwhile();
    if (only === undefined || only === this.seen.engaged)
      this.seen = { engaged: undefined, released: this.seen.engaged };
  }
  async settle(): Promise<void> {
    this.seen = { ...this.seen, released: undefined };
  }
  subscribe = () => undefined;
}

function open(
  mode: WorkspaceMode,
  stop: WorkspaceStop | undefined,
  latch: Latch,
  running: RunningSession[] = [],
): Promise<TestWorld> {
  return openWorld([aWorkspace({ mode }, stop === undefined ? {} : { stop })], {
    latch,
    repository: { target: async () => ({ is: "absent" }), subscribe: () => undefined },
    quality: { subscribe: () => undefined },
    sessions: {
      running: async () => [...running],
      stop: async (id) => void running.splice(0, running.length, ...running.filter((one) => one.id !== id)),
    },
  });
}

/** Looks until there is nothing more to do at once. */
async function lookOn({ deps }: TestWorld): Promise<void> {
  const controller = workspaceController(deps);
  for (let look = 0; look < 10; look += 1) {
    const next = await controller.reconcile(KEY, new AbortController().signal);
    if (next.after === "change" || next.ms > 0) return;
  }
  throw new Error("The Workspace is looked at again and again without a pause");
}

const declared = { name: "old", declared: true, generation: 1 };

test.each<{
  name: string;
  mode: WorkspaceMode;
  stop?: WorkspaceStop;
  latch: Partial<LatchSeen>;
  wantMode: WorkspaceMode;
  wantStop: string | undefined;
}>([
  {
    name: "a mode that says Stopped engages the latch, which outlives the operator",
    ...{ mode: "Stopped", latch: {}, wantMode: "Stopped", wantStop: "new" },
  },
  {
    name: "a latch that somebody touched has the mode say so",
    ...{ mode: "Running", latch: { engaged: "old" }, wantMode: "Stopped", wantStop: "old" },
  },
  {
    name: "a latch that somebody touched again, too, though the mode was put back since",
    ...{
      mode: "Running",
      stop: declared,
      latch: { engaged: "again" },
      wantMode: "Stopped",
      wantStop: "again",
    },
  },
  {
    name: "a mode that was put back releases the stop that it had said",
    ...{
      mode: "Running",
      stop: declared,
      latch: { engaged: "old" },
      wantMode: "Running",
      wantStop: undefined,
    },
  },
  {
    name: "a latch that a person released has the mode say so",
    ...{
      mode: "Stopped",
      stop: declared,
      latch: { released: "old" },
      wantMode: "Running",
      wantStop: undefined,
    },
  },
  {
    name: "a latch that is gone for another reason ends nothing",
    ...{ mode: "Stopped", stop: declared, latch: {}, wantMode: "Stopped", wantStop: "new" },
  },
])("$name", async ({ mode, stop, latch: seen, wantMode, wantStop }) => {
  const latch = new Latch(seen);
  const world = await open(mode, stop, latch);
  await lookOn(world);
  const { spec, status } = await world.the("Workspace", "workspace");
  expect(spec.mode).toBe(wantMode);
  expect(latch.seen).toEqual({ engaged: wantStop, released: undefined });
  expect(status?.stop?.name).toBe(wantStop);
  expect(status?.stop?.declared).toBe(wantStop === undefined ? undefined : true);
});

test("a stop that begins while an earlier one is released stays in force", async () => {
  const latch = new Latch({ engaged: "old" });
  const world = await open("Running", declared, latch);
  latch.meanwhile = async () => {
    latch.seen = { engaged: "newer", released: undefined };
  };
  await lookOn(world);
  expect(latch.seen.engaged).toBe("newer");
  expect((await world.the("Workspace", "workspace")).spec.mode).toBe("Stopped");
});

test("a stop that a person releases before it is noted does not begin anew", async () => {
  const latch = new Latch();
  const world = await open("Stopped", undefined, latch);
  latch.meanwhile = async () => {
    latch.meanwhile = async () => undefined;
    await latch.release();
  };
  await lookOn(world);
  expect(latch.seen).toEqual({ engaged: undefined, released: undefined });
  expect((await world.the("Workspace", "workspace")).spec.mode).toBe("Running");
});

test.each([
  { name: "another stop stays noted", status: { stop: { name: "newer", declared: false } }, want: "newer" },
  { name: "anything else does not keep the stop from being noted", status: { lastNumber: 3 }, want: "new" },
])("what is noted while a stop is engaged: $name", async ({ status, want }) => {
  const latch = new Latch();
  const world = await open("Stopped", undefined, latch);
  latch.meanwhile = () => world.deps.client.patch("Workspace", KEY, { status }, { subresource: "status" });
  await workspaceController(world.deps).reconcile(KEY, new AbortController().signal);
  const after = (await world.the("Workspace", "workspace")).status;
  expect(after).toMatchObject({ ...status, stop: { name: want } });
});

test("a session that has become nobody's is ended within five minutes, though nothing wakes the Workspace: it took ten", async () => {
  const running: RunningSession[] = [];
  const { deps, clock } = await open("Running", undefined, new Latch(), running);
  const controller = workspaceController(deps);
  const look = () => controller.reconcile(KEY, new AbortController().signal);
  const next = await look();
  running.push({ id: "of-nobody", agent: "agent-1", pid: 2 });
  await clock.advance(next.after === "ms" ? next.ms : Number.POSITIVE_INFINITY);
  await look();
  expect(running).toEqual([]);
  expect(clock.now() - NOW).toBeLessThanOrEqual(300_000);
});

test("a second Workspace is told that there is one, and changes nothing", async () => {
  const latch = new Latch();
  const second = aWorkspace({ mode: "Stopped" });
  const later = { ...second, metadata: { ...second.metadata, name: "workspace-2", uid: "second" } };
  const world = await openWorld([aWorkspace(), later], { latch });
  await workspaceController(world.deps).reconcile(
    { ...KEY, name: "workspace-2" },
    new AbortController().signal,
  );
  const { status } = await world.the("Workspace", "workspace-2");
  expect(status?.conditions).toMatchObject([{ type: "Ready", status: "False", reason: "SecondWorkspace" }]);
  expect(latch.seen.engaged).toBeUndefined();
  expect(world.said).toEqual(["Warning SecondWorkspace"]);
});
