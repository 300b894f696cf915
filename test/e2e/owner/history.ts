/** Every state that an object had, read from the log's own bytes. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { KubeObject } from "../../../pkg/api/meta.ts";
import { scanFrames } from "../../../pkg/storage/log/frame.ts";
import type { SegmentStart } from "../../../pkg/storage/log/recover.ts";
import type { Change, Transaction } from "../../../pkg/storage/storage.ts";

export interface Written {
  /** Of the operator that wrote it. */
  epoch: number;
  change: Change;
}

/**
 * What was written and counts, in order, as far back as the log's segments reach. What lies behind a segment's seal was
 * a stale writer's.
 */
export function historyOf(log: string): readonly Written[] {
  const names = existsSync(log) ? readdirSync(log).filter((name) => name.startsWith("segment-")) : [];
  const segments = names.toSorted().map((name) => ({
    sequence: Number(name.slice("segment-".length)),
    bytes: readFileSync(path.join(log, name)),
  }));
  const seals: Record<string, number> = {};
  for (const { bytes } of segments) {
    const [start] = scanFrames(bytes).frames;
    if (start?.type === "segmentStart")
      Object.assign(seals, (JSON.parse(start.payload) as SegmentStart).seals);
  }
  return segments.flatMap(({ sequence, bytes }) =>
    scanFrames(bytes.subarray(0, seals[sequence] ?? bytes.length))
      .frames.filter(({ type }) => type === "transactions")
      .flatMap(({ epoch, payload }) =>
        (JSON.parse(payload) as Transaction[]).flatMap(({ changes }) =>
          changes.map((change) => ({ epoch, change })),
        ),
      ),
  );
}

/** The states of all objects of a resource, by name, oldest first. */
export function statesOf<T extends KubeObject>(
  history: readonly Written[],
  resource: string,
): ReadonlyMap<string, readonly T[]> {
  const states = new Map<string, T[]>();
  for (const { change } of history) {
    if (change.resource !== resource || change.object === undefined) continue;
    states.set(change.name, [...(states.get(change.name) ?? []), change.object as unknown as T]);
  }
  return states;
}
