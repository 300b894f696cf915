/** Heartbeats of real hosts, on a clock by which a minute takes three seconds. */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { isAlive } from "../system/process-identity.ts";
import { systemIds } from "../system/system.ts";
import { openSessions } from "./manager.ts";
import { markedProcesses } from "./process-tree.ts";
import type { Pulse } from "./pulse.ts";
import { type SessionFolder, sessionFolder } from "./session-folder.ts";
import type { Sessions } from "./sessions.ts";
import { fastClock } from "./testing/fast-clock.ts";
import { openStage, type Stage } from "./testing/stage.ts";
import { openUpstream, type Turn } from "./testing/upstream.ts";

const hostCommand = [process.execPath, fileURLToPath(new URL("./testing/fast-host.ts", import.meta.url))];
const opened: { close(): Promise<void> }[] = [];
afterAll(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

interface Patient {
  stage: Stage;
  /** The sessions as an operator on the fast clock sees them. */
  observer: Sessions;
  id: string;
  folder: SessionFolder;
  /** Each pulse that is seen from now on until it is the last of them, in order. */
  pulsesUntil(last: Pulse): Promise<Pulse[]>;
}

const bash = (command: string): Turn => ({ call: "bash", input: { command } });

/** A session in a tool call that takes as long as nobody makes the file `go` beside its checkout. */
async function inToolCall(toolTimeoutSeconds: number): Promise<Patient> {
  const upstream = await openUpstream(() => bash("touch begun; while [ ! -e ../go ]; do sleep 0.05; done"));
  opened.push(upstream);
  const stage = await openStage(upstream, { hostCommand });
  opened.push(stage);
  const spec = stage.spec({ toolTimeoutSeconds });
  await stage.sessions.start(spec);
  await stage.until(spec.id, () => existsSync(join(stage.checkout, "begun")));
  // A gateway that hangs keeps nobody from seeing that a host does.
  const money = { admit: () => new Promise<never>(() => undefined), dismiss: async () => undefined };
  const observer = await openSessions({ ...stage.places, money, clock: fastClock, ids: systemIds });
  const pulsesUntil = async (last: Pulse): Promise<Pulse[]> => {
    const pulses: Pulse[] = [];
    while (pulses.at(-1) !== last) {
      const seen = await observer.find(spec.id);
      if (seen.is === "present" && seen.pulse !== pulses.at(-1)) pulses.push(seen.pulse);
      await fastClock.sleep(500);
    }
    return pulses;
  };
  return {
    stage,
    observer,
    id: spec.id,
    folder: sessionFolder(stage.places.directory, spec.id),
    pulsesUntil,
  };
}

function hostOf({ folder }: Patient) {
  const host = folder.readHost();
  if (host?.state !== "running") throw new Error("The session has no host.");
  return host;
}

test.concurrent.each<[string, (patient: Patient) => void, (patient: Patient) => void]>([
  [
    "a host that is stopped",
    (patient) => process.kill(hostOf(patient).host.pid, "SIGSTOP"),
    (patient) => process.kill(hostOf(patient).host.pid, "SIGCONT"),
  ],
  [
    "a host whose event loop is blocked",
    ({ folder }) => writeFileSync(join(folder.path, "spin"), ""),
    ({ folder }) => rmSync(join(folder.path, "spin")),
  ],
])("%s is late, and regular again when it goes on", async (_name, hang, goOn) => {
  const patient = await inToolCall(1200);
  expect(await patient.pulsesUntil("Regular")).toEqual(["Regular"]);
  hang(patient);
  // A starved one may be late before.
  expect((await patient.pulsesUntil("Late")).filter((pulse) => pulse !== "Regular")).toEqual(["Late"]);
  goOn(patient);
  expect((await patient.pulsesUntil("Regular")).at(-1)).toBe("Regular");
});

test.concurrent("a host that hangs for longer is lost, told to who subscribed, and ended with all its processes", async () => {
  const patient = await inToolCall(1200);
  const { observer, id } = patient;
  const watching = new AbortController();
  const told: string[] = [];
  const woken = new Promise<void>((resolve) => {
    observer.subscribe(async () => {
      const seen = await observer.find(id);
      if (seen.is !== "present") return;
      told.push(seen.pulse);
      if (seen.pulse === "Lost") resolve();
    }, watching.signal);
  });
  writeFileSync(join(patient.folder.path, "spin"), "");
  await woken;
  watching.abort();
  expect(told.slice(-2)).toEqual(["Late", "Lost"]);

  const { host, outermost } = hostOf(patient);
  // By the clock of the machine: a busy one needs time to show that something is gone.
  await patient.stage.sessions.stop(id, "Lost");
  expect(await Promise.all([host, outermost].map(isAlive))).toEqual([false, false]);
  expect(await markedProcesses(id)).toEqual([]);
  const seen = await observer.find(id);
  expect(seen).toMatchObject({ is: "absent" });
  expect(seen).not.toHaveProperty("ordered");
});

test.concurrent("a host in a slow tool call within its limit is not lost, however long the call takes", async () => {
  const patient = await inToolCall(1200);
  const startMs = fastClock.elapsed();
  const seen = new Set<Pulse>();
  while (fastClock.elapsed() - startMs < 140_000) {
    const now = await patient.observer.find(patient.id);
    if (now.is === "present") seen.add(now.pulse);
    await fastClock.sleep(1_000);
  }
  expect([...seen]).not.toContain("Lost");
  expect(seen.size).toBeGreaterThan(0);
});
