/** `FileSystem` as production has it, on a disk that fails and crashes. */
import type { Random } from "../../runtime/clock.ts";
import type { FileSystem } from "../file-system.ts";
import { fileSystemOn } from "../node-file-system.ts";
import { type CrashDisk, crashDisk } from "./crash-disk.ts";

export { CrashError, type Fault, faultsOf } from "./crash-disk.ts";
export { seeded } from "./seeded.ts";

export interface CrashFileSystem
  extends FileSystem,
    Omit<CrashDisk, "calls" | "blockingCalls" | "afterCrash" | "afterKill"> {
  afterCrash(random: Random): CrashFileSystem;
  afterKill(): CrashFileSystem;
}

export function crashFileSystem(disk: CrashDisk = crashDisk()): CrashFileSystem {
  return {
    ...fileSystemOn(disk.calls, disk.blockingCalls),
    made: disk.made,
    get hasFailed() {
      return disk.hasFailed;
    },
    get open() {
      return disk.open;
    },
    crashAfter: disk.crashAfter,
    failAfter: disk.failAfter,
    mend: disk.mend,
    put: disk.put,
    save: disk.save,
    afterCrash: (random) => crashFileSystem(disk.afterCrash(random)),
    afterKill: () => crashFileSystem(disk.afterKill()),
  };
}
