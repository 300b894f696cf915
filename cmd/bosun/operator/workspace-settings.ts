/** What of the Workspace counts as soon as it is changed, and what only from the operator's next start. */
import type { Workspace, WorkspaceSpec } from "../../../pkg/api/generated.ts";
import type { GatewayHandle } from "../../../pkg/gateway/money-client.ts";
import type { EventRecorder } from "../../../pkg/runtime/events.ts";
import { type FollowOptions, followObjects } from "./follow-objects.ts";

export interface WorkspaceSettings {
  /** As a person has it now. Fields that need a restart may differ from what is in force. */
  readonly spec: WorkspaceSpec;
  /** Follows the Workspace until the answer is aborted. */
  follow(options: SettingsOptions): AbortController;
}

export interface SettingsOptions extends FollowOptions {
  gateway: Pick<GatewayHandle, "setAdmitted">;
  events: EventRecorder;
  /** Told what a person should know at once. */
  note(line: string): void;
}

/** Everything real is built around these: the repository's world, and what each command runs in. */
const atStart: Readonly<Record<string, (spec: WorkspaceSpec) => string>> = {
  "spec.repository.path": ({ repository }) => repository.path,
  "spec.repository.targetBranch": ({ repository }) => repository.targetBranch,
  "spec.sandbox": ({ sandbox }) => sandbox,
};

/** The settings of `workspace`, which the operator was started with. */
export function workspaceSettings(workspace: Workspace): WorkspaceSettings {
  const started = workspace.spec;
  let { spec } = workspace;
  let told = "";

  return {
    get spec() {
      return spec;
    },
    follow: (options) =>
      followObjects("Workspace", options, async (now) => {
        if (now.metadata.uid !== workspace.metadata.uid) return;
        const before = spec;
        spec = now.spec;
        tellOfRestart(now, options);
        if (JSON.stringify(before.gateway) === JSON.stringify(spec.gateway)) return;
        await options.gateway.setAdmitted(spec.gateway.admit ?? []).catch((error: unknown) => {
          // It is told again whenever it comes back.
          options.logger.warn("The gateway does not know yet what it admits", { error });
        });
      }),
  };

  function tellOfRestart(now: Workspace, { events, note }: SettingsOptions): void {
    const waiting = Object.entries(atStart)
      .filter(([, value]) => value(now.spec) !== value(started))
      .map(([field, value]) => `${field} is ${value(now.spec)}, in force is ${value(started)}`);
    const message = `${waiting.join("; ")}. It counts once the operator is started again: \`bosun stop\`, then \`bosun up\`.`;
    if (waiting.length > 0 && message !== told) {
      events.event(now, "Warning", "RestartNeeded", message);
      note(message);
    }
    told = waiting.length > 0 ? message : "";
  }
}
