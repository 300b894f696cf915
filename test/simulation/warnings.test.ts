/** What warns, and that each of it is an Event, a line in `bosun status` and in what `bosun up` prints, and a metric. */
import { expect, test } from "vitest";
import { warningMetrics } from "../../cmd/bosun/operator/warning-metrics.ts";
import { changesBetween } from "../../cmd/bosun/view/changes.ts";
import { liveView } from "../../cmd/bosun/view/live.ts";
import { readObjects } from "../../cmd/bosun/view/objects.ts";
import { renderStatus } from "../../cmd/bosun/view/status.ts";
import { WARNING_TYPES, type WarningType, warningsOf } from "../../cmd/bosun/view/warnings.ts";
import { Metrics } from "../../pkg/runtime/metrics.ts";
import { type Story, type StoryOptions, tell } from "./story.ts";
import type { Ends } from "./world/conduct.ts";

const authorsEnd = (ends: Ends, turns = 1): StoryOptions => ({
  temper: { script: ({ purpose }) => (purpose === "execute" ? { ends, turns } : undefined) },
});
const hours = 12;

interface Case {
  type: WarningType;
  options: StoryOptions;
  /** What happens once it works. */
  befalls?: (story: Story) => void;
  /** Reason of the Event, and the kind of the object that it is about. */
  event: [reason: string, kind: string];
  /** What both the page and the log of changes say. */
  line: RegExp;
}

const cases: Case[] = [
  {
    type: "HeartbeatLate",
    options: authorsEnd("Hung"),
    event: ["HeartbeatLate", "Agent"],
    line: /agent-1: HeartbeatLate: .* no heartbeat for more than a minute/,
  },
  {
    type: "HeartbeatLost",
    options: authorsEnd("Hung"),
    event: ["HeartbeatLost", "Agent"],
    line: /agent-1: HeartbeatLost: .* no heartbeat for more than two minutes/,
  },
  {
    type: "CrashLoopBackOff",
    options: authorsEnd("Crash"),
    event: ["CrashLoopBackOff", "Agent"],
    line: /agent-1: CrashLoopBackOff: 3 sessions in a row ended badly/,
  },
  {
    type: "UpstreamUnavailable",
    options: authorsEnd("Done", 10_000),
    befalls: ({ world }) => {
      world.upstream.faults.unreachable = 1;
    },
    event: ["UpstreamUnavailable", "Agent"],
    line: /agent-1: UpstreamUnavailable: no connection/,
  },
  {
    type: "BudgetAlert",
    options: { ...authorsEnd("Done", 10_000), usd: 5 },
    event: ["BudgetAlert", "Budget"],
    line: /Budget \S+: \d+ % of 2026-\S+ is spent/,
  },
  {
    type: "UsageLimited",
    options: authorsEnd("Done", 10_000),
    befalls: (story) => story.world.money.useUp(3_600_000),
    event: ["UsageLimited", "Workspace"],
    line: /UsageLimited: The account's usage limit is reached/,
  },
  {
    type: "Escalation",
    options: authorsEnd("Crash"),
    event: ["SessionFailing", "Escalation"],
    line: /SessionFailing.*bosun resolve retry-session-failing-1/,
  },
];

test("each type of warning is tried", () => {
  expect(cases.map(({ type }) => type)).toEqual([...WARNING_TYPES]);
});

test.each(cases)(
  "$type warns everywhere",
  async ({ type, options, befalls, event: [reason, kind], line }) => {
    const story = await tell(options);
    const metrics = new Metrics();
    const figures = warningMetrics(metrics);
    const quiet = await readObjects({
      list: (kind, options) => story.world.api.list(kind, options),
      namespace: "default",
    });
    figures.show(quiet);
    expect(warningsOf(quiet)).toEqual([]);
    expect(metrics.render()).toContain(`bosun_warnings{type="${type}"} 0\n`);
    expect(metrics.render()).toContain(`bosun_warnings_total{type="${type}"} 0\n`);

    await story.projects("retry");
    if (befalls !== undefined) {
      await story.until("it is worked on", () => story.works("retry"));
      befalls(story);
    }
    await story.until("it warns", () => standing(story).includes(type), hours);
    const objects = await readObjects({
      list: (kind, options) => story.world.api.list(kind, options),
      namespace: "default",
    });
    const now = story.world.scheduler.world.clock.now();
    expect(renderStatus(objects, now, 400).join("\n")).toMatch(line);
    expect(changesBetween(quiet, objects).join("\n")).toMatch(line);
    figures.show(objects);
    figures.show(objects);
    expect(metrics.render()).toContain(`bosun_warnings{type="${type}"} 1\n`);
    expect(metrics.render()).toContain(`bosun_warnings_total{type="${type}"} 1\n`);

    await story.minutes(1);
    const { items } = await story.world.api.list("Event");
    const about = items.filter((one) => one.type === "Warning" && one.involvedObject.kind === kind);
    expect(about.map((one) => one.reason)).toContain(reason);
    // Whoever is warned is not told the same again: an agent that failed was a Warning and a Normal Event.
    const said = (type: string): string[] =>
      items
        .filter((one) => one.type === type)
        .map((one) => `${one.involvedObject.name} ${one.reason}: ${one.message}`);
    expect(said("Normal").filter((event) => said("Warning").includes(event))).toEqual([]);
  },
);

test.each([
  { fault: "unreachable", why: "no connection" },
  { fault: "fails", why: "The upstream answered 500." },
] as const)(
  "two hours in which the upstream $fault are told once, from time to time, and when they are over: there was a line each minute",
  async ({ fault, why }) => {
    const story = await tell({ builders: 2, ...authorsEnd("Done", 10_000) });
    const startMs = story.world.scheduler.world.clock.now();
    let minutes = 0;
    const written: string[] = [];
    const view = liveView({ write: (text) => written.push(text) }, () => startMs + minutes * 60_000);
    const pass = async (count: number) => {
      for (let passed = 0; passed < count; passed += 1) {
        await story.minutes(1);
        minutes += 1;
        const { api } = story.world;
        view.show(
          await readObjects({ list: (kind, options) => api.list(kind, options), namespace: "default" }),
        );
      }
      return written.splice(0).map((text) => text.slice(text.indexOf(" ") + 1, -1));
    };
    await story.projects("a", "b");
    await pass(10);
    story.world.upstream.faults[fault] = 1;
    const said = `UpstreamUnavailable: ${why}`;
    expect((await pass(9)).toSorted()).toEqual([`Warning: agent-1: ${said}`, `Warning: agent-2: ${said}`]);
    const both = `agent-1, agent-2: ${said}`;
    expect(await pass(111)).toEqual(["10m", "30m", "70m"].map((time) => `Warning, for ${time} now: ${both}`));

    story.world.upstream.faults[fault] = 0;
    expect((await pass(5)).toSorted()).toEqual(["agent-1: working on a", "agent-2: working on b"]);
  },
);

function standing({ world: { api } }: Story): WarningType[] {
  const objects = {
    workspaces: api.objects("Workspace"),
    agents: api.objects("Agent"),
    budgets: api.objects("Budget"),
    escalations: api.objects("Escalation"),
  };
  return warningsOf(objects).map(({ type }) => type);
}
