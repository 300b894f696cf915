import { expect, test } from "vitest";
import type { Change } from "../../../pkg/storage/storage.ts";
import { ACCEPTED_ANNOTATION, onAcceptedDeletions } from "./accepted-deletions.ts";

function workspaceAccepting(time: string | undefined): Change {
  const annotations: Record<string, string> = time === undefined ? {} : { [ACCEPTED_ANNOTATION]: time };
  const object = {
    apiVersion: "bosun.dev/v1alpha1",
    kind: "Workspace",
    metadata: { name: "w", annotations },
  };
  return { revision: 1, resource: "bosun.dev/workspaces", namespace: "default", name: "w", object };
}

test("each acceptance counts once, and one from before the operator started never", () => {
  let accepted = 0;
  let tell: (changes: readonly Change[]) => void = () => {};
  const source = {
    subscribe(listener: typeof tell) {
      tell = listener;
      return () => {};
    },
  };
  onAcceptedDeletions(source, Date.parse("2026-11-23T12:00:00Z"), () => {
    accepted += 1;
  });
  for (const [time, want] of [
    [undefined, 0],
    ["2026-11-23T11:59:00.000Z", 0],
    ["2026-11-23T12:00:05.000Z", 1],
    ["2026-11-23T12:00:05.000Z", 1],
    ["2026-11-23T12:00:06.000Z", 2],
  ] as const) {
    tell([workspaceAccepting(time)]);
    expect(accepted).toBe(want);
  }
});
