/** An operator that lives and does not listen, as while it waits for room on its disk. */
import { existsSync } from "node:fs";
import path from "node:path";
import { roomIn } from "../../../pkg/system/disk-room.ts";
import { pidSpace } from "../../../pkg/system/pid-space.ts";
import { isAlive } from "../../../pkg/system/process-identity.ts";
import { disksOf, isEnough, lackIn, roomInWords } from "../operator/wait-for-room.ts";
import { readHolder } from "../stop/quiet-operator.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";

/** What it does, in sentences; undefined where none lives on this machine. For when nobody listens at its socket. */
export async function whyUnheard(folder: WorkspaceFolder): Promise<string | undefined> {
  // Who only looks makes no folder.
  const holder = existsSync(path.join(folder.operator, "lock")) ? readHolder(folder) : undefined;
  if (holder === undefined || holder.place !== pidSpace() || !(await isAlive(holder))) return undefined;
  const full = disksOf(folder).find((disk) => !isEnough(roomIn(disk)));
  if (full === undefined) return `The operator (process ${holder.pid}) is starting.`;
  return (
    `${lackIn(full, roomIn(full))} The operator (process ${holder.pid}) waits and spends nothing, and goes on by itself ` +
    `once there is ${roomInWords}.`
  );
}
