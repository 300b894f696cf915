/** How one run of a session goes, drawn when it starts. */
import type { SessionSpec } from "../../../pkg/session/sessions.ts";
import type { Prng } from "../kernel/prng.ts";
import type { AskedRequest } from "./money.ts";

const minute = 60_000;

/** What kind of people and models live in the world: probabilities, 0 to 1. */
export interface Temper {
  /** A run fails by itself. */
  fails: number;
  /** A run's host ends without a word. */
  crashes: number;
  /** A run falls silent and lives on. */
  fallsSilent: number;
  /** A run's host hangs: it lives and shows no heartbeat. */
  hangs: number;
  /** A run goes on and on. */
  endless: number;
  /** A reviewer is content with a tree. */
  approves: number;
  /** A commit breaks the tests. */
  breaks: number;
  /** A commit has a path or a content that must not be merged. */
  offends: number;
  /** What such a commit has; chance decides when absent. */
  offence?: Offence;
  /** Says of single runs how they go; undefined leaves it to chance. */
  script?: (spec: SessionSpec) => { ends?: Ends; turns?: number } | undefined;
}

export const roughTemper: Temper = {
  fails: 0.05,
  crashes: 0.05,
  fallsSilent: 0.03,
  hangs: 0.02,
  endless: 0.02,
  approves: 0.7,
  breaks: 0.1,
  offends: 0.015,
};

export const kindTemper: Temper = {
  fails: 0,
  crashes: 0,
  fallsSilent: 0,
  hangs: 0,
  endless: 0,
  approves: 0.95,
  breaks: 0,
  offends: 0,
};

export type Offence = "Secret" | "ProtectedPath" | "ForbiddenPath";

/** What a prompt is cut from. */
const TEXT = "Mind the tests. ".repeat(1500);

export type Ends = "Done" | "Failed" | "Crash" | "Silent" | "Hung" | "NeverStarts";

export interface Conduct {
  ends: Ends;
  chance: Prng;
  /** It has fallen silent. */
  silentNow: boolean;
  isOver(turn: number): boolean;
  /** How much of the run is behind it after `turn`, 0 to 1. */
  share(turn: number): number;
  turnMs(): number;
  /** What it asks the model for its next turn. */
  request(): AskedRequest["request"];
}

export function conductOf(spec: SessionSpec, chance: Prng, temper: Temper): Conduct {
  const roll = chance.next();
  const { fails, crashes, fallsSilent, hangs, endless } = temper;
  const script = temper.script?.(spec);
  const drawn: Ends =
    roll < fails
      ? "Failed"
      : roll < fails + crashes
        ? "Crash"
        : roll < fails + crashes + fallsSilent
          ? "Silent"
          : roll < fails + crashes + fallsSilent + hangs
            ? "Hung"
            : "Done";
  const runs = spec.purpose === "review" ? 3 + chance.below(18) : 3 + chance.below(38);
  const drags = chance.chance(endless);
  const turns = script?.turns ?? (drags ? 1000 : Math.max(1, Math.round(runs / 2.7)));
  return {
    ends: script?.ends ?? drawn,
    chance,
    silentNow: false,
    isOver: (turn) => turn >= turns,
    share: (turn) => Math.min(1, turn / turns),
    turnMs: () => 20_000 + chance.below(5 * minute - 20_000),
    // Never the same prompt twice: the tokens of one are measured the first time.
    request: () => ({
      messages: [{ role: "user", content: `${chance.next()} ${TEXT.slice(0, chance.below(TEXT.length))}` }],
      max_tokens: 4000 + chance.below(20_000),
      ...(chance.chance(0.5) ? { cache_control: { type: "ephemeral" } } : {}),
    }),
  };
}
