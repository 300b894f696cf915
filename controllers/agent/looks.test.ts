import { expect, test } from "vitest";
import type { AgentSession, ProjectStatus } from "../../pkg/api/generated.ts";
import type { SessionObservation } from "../../pkg/session/sessions.ts";
import { aClaim, anAgent, aProject, aWorkspace, NOW } from "../testing/objects.ts";
import { lookAt } from "./looks.ts";
import type { Work } from "./observe.ts";

const at = (ms: number): string => new Date(ms).toISOString();
const present = (liveSeconds: number, pid = 7): SessionObservation => ({
  is: "present",
  report: {
    run: 1,
    turns: 3,
    liveSeconds,
    lastActivityMs: NOW,
    heartbeatMs: NOW,
    tasksDone: [],
    busy: false,
  },
  pid,
  startedAtMs: NOW,
  pulse: "Regular",
});

const rows: readonly {
  name: string;
  known?: Partial<AgentSession>;
  session?: SessionObservation;
  project?: ProjectStatus;
  limits?: { projectSeconds?: number; stuckSeconds?: number };
  want: { due: boolean; nextMs: number };
}[] = [
  {
    name: "a host that is new is looked at at once",
    known: { pid: 6, lastLookTime: at(NOW) },
    want: { due: true, nextMs: 600_000 },
  },
  { name: "one that was just looked at is not", want: { due: false, nextMs: 540_000 } },
  {
    name: "one that was looked at long ago is",
    known: { pid: 7, liveSeconds: 100, lastLookTime: at(NOW - 600_000) },
    session: present(700),
    want: { due: true, nextMs: 600_000 },
  },
  {
    name: "a clock that was set back makes nothing wait",
    known: { pid: 7, liveSeconds: 100, lastLookTime: at(NOW + 1000) },
    want: { due: true, nextMs: 600_000 },
  },
  {
    name: "the moment in which the time of the Project is over is met",
    known: { pid: 7, liveSeconds: 100, lastLookTime: at(NOW) },
    project: { workedSeconds: 28_600 },
    want: { due: false, nextMs: 101_000 },
  },
  {
    name: "time that is over already is no reason to look without a pause",
    known: { pid: 7, liveSeconds: 100, lastLookTime: at(NOW) },
    project: { workedSeconds: 28_800 },
    want: { due: false, nextMs: 600_000 },
  },
  {
    name: "the moment in which it has stood still for too long is met",
    known: { pid: 7, liveSeconds: 1700, unchangedSeconds: 1600, lastLookTime: at(NOW) },
    want: { due: false, nextMs: 201_000 },
  },
  {
    name: "what a look finds to have stood still counts for when the next is due",
    known: { pid: 7, liveSeconds: 1000, unchangedSeconds: 900, lastLookTime: at(NOW - 600_000) },
    session: present(1660),
    want: { due: true, nextMs: 241_000 },
  },
  {
    name: "where less stillness is allowed the looks are closer",
    known: { pid: 7, liveSeconds: 100, lastLookTime: at(NOW) },
    limits: { stuckSeconds: 60 },
    want: { due: false, nextMs: 20_000 },
  },
];

for (const { name, known, session = present(160), project = {}, limits = {}, want } of rows)
  test(name, () => {
    const status = {
      session: { id: "s1", pid: 7, liveSeconds: 100, lastLookTime: at(NOW - 60_000), ...known },
    };
    const work: Work = {
      kind: "Project",
      project: aProject({ claimNumber: 1, claim: aClaim(), ...project }),
      claim: aClaim(),
    };
    const defaults = aWorkspace();
    const workspace = aWorkspace({ limits: { ...defaults.spec.limits, ...limits } });
    expect(lookAt(anAgent(status), { work, workspace, session, now: NOW })).toEqual(want);
  });
