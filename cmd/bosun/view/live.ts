/** The workspace as it changes: redrawn in place on a terminal, a line for each change, and for what goes on too long, elsewhere. */
import { changesBetween } from "./changes.ts";
import type { Objects } from "./objects.ts";
import { standingTroubles } from "./standing.ts";
import { renderStatus } from "./status.ts";

/** Where a view is drawn; `process.stdout` is one. */
export interface Screen {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  rows?: number;
}

export interface LiveView {
  /** Shows `objects`, at least each minute; on a terminal, in place of what was shown before. */
  show(objects: Objects): void;
  /** Prints lines that stay, above what is shown. */
  print(lines: readonly string[]): void;
}

/** @param now - wall time in milliseconds */
export function liveView(screen: Screen, now: () => number): LiveView {
  return screen.isTTY === true ? redrawn(screen, now) : appended(screen, now);
}

function redrawn(screen: Screen, now: () => number): LiveView {
  let frame: string[] = [];
  const erase = () => (frame.length === 0 ? "" : `\x1b[${frame.length}A\x1b[0J`);
  const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");
  return {
    show(objects) {
      const height = Math.max(1, (screen.rows || 24) - 1);
      const before = erase();
      frame = renderStatus(objects, now(), screen.columns || 100).slice(0, height);
      // One write, so that no half-drawn frame is ever seen.
      screen.write(before + text(frame));
    },
    print(lines) {
      screen.write(erase() + text(lines) + text(frame));
    },
  };
}

function appended(screen: Screen, now: () => number): LiveView {
  let shown: Objects | undefined;
  const stillStanding = standingTroubles(now);
  const print = (lines: readonly string[]) => {
    const time = new Date(now()).toISOString().slice(11, 19);
    for (const line of lines) screen.write(`${time} ${line}\n`);
  };
  return {
    show(objects) {
      print([...changesBetween(shown, objects), ...stillStanding(objects)]);
      shown = objects;
    },
    print,
  };
}
