/** All of Bosun's controllers. They meet only through objects. */
import type { Controller } from "../pkg/runtime/controller.ts";
import { agentController } from "./agent/controller.ts";
import { agentPoolController } from "./agentpool/controller.ts";
import { budgetController } from "./budget/controller.ts";
import type { Deps } from "./deps.ts";
import { escalationController } from "./escalation/controller.ts";
import { mergeController } from "./merge/controller.ts";
import { projectController } from "./project/controller.ts";
import { reviewController } from "./review/controller.ts";
import { workspaceController } from "./workspace/controller.ts";
import { countsController } from "./workspace/counts.ts";
import { usageController } from "./workspace/usage.ts";

export function allControllers(deps: Deps): readonly Controller[] {
  return [
    workspaceController(deps),
    countsController(deps),
    usageController(deps),
    agentPoolController(deps),
    agentController(deps),
    projectController(deps),
    reviewController(deps),
    mergeController(deps),
    budgetController(deps),
    escalationController(deps),
  ];
}
