// Replaced by `npm run generate` from crds/*.yaml.
import type { KubeObject } from "./meta.ts";
export interface Kinds {
  Workspace: KubeObject;
  AgentPool: KubeObject;
  Agent: KubeObject;
  Project: KubeObject;
  Review: KubeObject;
  Budget: KubeObject;
  Category: KubeObject;
  Escalation: KubeObject;
  Event: KubeObject;
}
