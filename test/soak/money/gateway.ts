/** The gateway's process with a clock that the soak moves; else as pkg/gateway/main.ts starts it. */
import { closeSync, writeSync } from "node:fs";
import { text } from "node:stream/consumers";
import { type ProcessConfig, runGateway } from "../../../pkg/gateway/process.ts";
import { movableClock } from "./movable-clock.ts";

const READY_FD = 3;
const { clockPath, ...config } = JSON.parse(await text(process.stdin)) as ProcessConfig & {
  clockPath: string;
};

await runGateway(
  config,
  () => {
    writeSync(READY_FD, "ready");
    closeSync(READY_FD);
  },
  movableClock(clockPath),
);
