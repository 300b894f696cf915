/** Says on the Workspace that the account has used up what its plan allows, and until when; the gateway keeps to it. */
import { getCondition, type NewCondition } from "../../pkg/api/conditions.ts";
import type { Agent, Workspace, WorkspaceStatus } from "../../pkg/api/generated.ts";
import type { KubeObject, ObjectKey } from "../../pkg/api/meta.ts";
import { zoneOf } from "../../pkg/gateway/budget-policy.ts";
import type { UsageLimit } from "../../pkg/gateway/money.ts";
import { clockTime } from "../../pkg/gateway/windows.ts";
import { timestamp } from "../../pkg/runtime/clock.ts";
import { type Controller, inSeconds, type Next, settled } from "../../pkg/runtime/controller.ts";
import { writeStatus } from "../../pkg/runtime/status-writer.ts";
import { budgetsInForce, type Deps, theWorkspace, theWorkspaceKey, whenOf, withConditions } from "../deps.ts";

/** The gateway holds a limit for some hours at a time and has one request look then: so it is asked as it goes on. */
const lookAgainSeconds = 600;
/** How soon a gateway that can't be asked is asked again, in seconds. */
const unknownAgainSeconds = 30;

/** That the agent was turned away, which learns of a limit first; nothing of another. */
const isTurnedAway = (agent: KubeObject): unknown =>
  getCondition((agent as Agent).status?.conditions, "Ready")?.reason === "UsageLimited" ? true : undefined;

export function usageController(deps: Deps): Controller {
  const { client, clock, money, events } = deps;
  const theOne = (): Promise<readonly ObjectKey[]> => theWorkspaceKey(deps);
  return {
    name: "usage",
    concurrency: 1,
    watches: [
      // Asked once at the start: what an earlier gateway met holds on.
      { kind: "Workspace", by: ({ metadata }) => metadata.uid, map: theOne },
      { kind: "Agent", by: isTurnedAway, map: theOne },
    ],

    async reconcile(): Promise<Next> {
      const workspace = await theWorkspace(deps);
      if (workspace === undefined) return settled;
      const limits = await money.usageLimits();
      // Unknown is not over: what was said last stays, and ends at its time.
      if (limits === undefined) return inSeconds(unknownAgainSeconds);
      const [budget] = await budgetsInForce(deps);
      const timeZone = budget === undefined ? "UTC" : zoneOf(budget.spec);
      const condition = usageLimited(limits, { nowMs: clock.now(), timeZone });
      await report(workspace, limits, condition);
      if (limits.length === 0) return settled;
      const soonestMs = Math.min(...limits.map(({ leftMs }) => leftMs));
      return inSeconds(Math.min(lookAgainSeconds, Math.max(1, soonestMs / 1000)));
    },
  };

  async function report(
    workspace: Workspace,
    limits: readonly UsageLimit[],
    condition: NewCondition,
  ): Promise<void> {
    const before = getCondition(workspace.status?.conditions, "UsageLimited");
    // Nothing to say of an account that never was.
    if (before === undefined && limits.length === 0) return;
    const status: WorkspaceStatus = {
      ...workspace.status,
      usageLimits:
        limits.length === 0
          ? undefined
          : limits.map(({ model, untilMs }) => ({
              ...(model === undefined ? {} : { model }),
              untilTime: timestamp(untilMs),
            })),
      conditions: withConditions(workspace.status?.conditions, whenOf(clock, workspace), condition),
    };
    const written = await writeStatus(client, "Workspace", workspace, status);
    // That of the account is an Event of the Workspace's own Ready.
    const isNews = condition.reason === "ModelLimited" && condition.message !== before?.message;
    if (written !== undefined && isNews)
      events.event(written, "Warning", condition.reason, condition.message);
  }
}

/** What the condition UsageLimited says of `limits`. */
function usageLimited(
  limits: readonly UsageLimit[],
  { nowMs, timeZone }: { nowMs: number; timeZone: string },
): NewCondition {
  const type = "UsageLimited";
  const account = limits.find(({ model }) => model === undefined);
  const until = ({ untilMs }: UsageLimit) => `${clockTime(untilMs, nowMs, timeZone)} (${timeZone})`;
  if (account !== undefined)
    return {
      type,
      status: "True",
      reason: "UsageLimited",
      message: `The account's usage limit is reached: nothing is asked of the model until ${until(account)}.`,
    };
  if (limits.length > 0)
    return {
      type,
      status: "True",
      reason: "ModelLimited",
      message: limits
        .map(
          (limit) =>
            `The usage limit of ${limit.model} is reached: nothing is asked of it until ${until(limit)}.`,
        )
        .sort()
        .join(" "),
    };
  return { type, status: "False", reason: "WithinUsage", message: "The account may be used." };
}
