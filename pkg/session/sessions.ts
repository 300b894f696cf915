/**
 * Sessions as the operator sees them. A session is one purpose of one agent; it may have several runs (work, then
 * rework), all on one transcript. Each run is one session host process, or several after crashes.
 */

import type { LimitMet } from "../gateway/money.ts";
import type { Pulse } from "./pulse.ts";

export type Purpose = "execute" | "review";

export interface Criterion {
  /** `AC-1`, unique in the project. */
  id: string;
  text: string;
}

export interface SessionTask {
  id: string;
  title: string;
}

/** What makes a checkout ready for work, such as installing what it depends on. */
export interface SetupCommand {
  /** One line for bash. */
  run: string;
  timeoutSeconds: number;
  /** What it may reach: nothing but itself, or what the machine reaches. */
  network: "none" | "host";
}

/** The claim a session works under. What it writes counts only while this is the object's newest claim. */
export interface ClaimRef {
  kind: "Project" | "Review";
  name: string;
  uid: string;
  number: number;
}

/** All a session is told; kept in its folder, so that a restarted host needs nobody. */
export interface SessionSpec {
  /** A UUID, written to the Agent's status before the start. */
  id: string;
  /** 1, then one more for each new message (rework). A resume after a crash or a pause keeps the run. */
  run: number;
  agent: string;
  purpose: Purpose;
  claim: ClaimRef;
  /** Name of the Project, for a review's session too. */
  project: string;
  pool: string;
  /** Labels of the Agent: what Budgets select by. */
  labels: Readonly<Record<string, string>>;
  /** Absolute path. */
  checkout: string;
  /** Tells the checkout from one that was made again in its place; undefined where nobody has to be told of that. */
  checkoutId?: string;
  /** Branch that the checkout has out; empty for a review. */
  branch: string;
  model: string;
  /** Upper bound of `max_tokens` of one request, in tokens. */
  maxOutputTokens: number;
  /** Model turns of one run; past it the run fails with reason TurnLimit. */
  maxTurns: number;
  /** The system prompt, rendered. */
  system: string;
  /** The user message that opens this run, rendered. */
  message: string;
  tasks: readonly SessionTask[];
  criteria: readonly Criterion[];
  /** Run in the checkout before the first turn, once for each checkout; undefined where there is none. */
  setup?: SetupCommand;
  /** Wall limit of one bash tool call, in seconds. */
  toolTimeoutSeconds: number;
  /** `Off` runs tools without a sandbox. */
  sandbox: "Required" | "Off";
}

/** How a run ended by itself. */
export type Outcome =
  /** The author says the work is complete and committed. */
  | { kind: "Finished"; summary: string; evidence: readonly { criterion: string; evidence: string }[] }
  /** The reviewer has judged. */
  | { kind: "Judged"; judgement: Judgement }
  /**
   * It stopped cleanly after a turn and can be resumed: asked to, out of budget, the account's usage is used up, or for
   * minutes no answer was to be had.
   */
  | {
      kind: "Paused";
      reason:
        | "Requested"
        | "BudgetExceeded"
        | "NoBudget"
        | "BoundViolated"
        | "UsageLimited"
        | "UpstreamUnavailable";
      message: string;
      /** BudgetExceeded: the names of those that have too little left, where that was said. */
      budgets?: readonly string[];
      /** BudgetExceeded and NoBudget: the limits that it was refused under, where they were said. */
      limits?: readonly LimitMet[];
    }
  /** It can't go on: SetupFailed, TurnLimit, RequestRefused, ContextLimit, ... */
  | { kind: "Failed"; reason: string; message: string };

export const STANDARDS = ["TestsPass", "LintClean", "NoSecurityIssue", "CriteriaMet", "Documented"] as const;
export type Standard = (typeof STANDARDS)[number];

export interface Judgement {
  verdict: "Approved" | "ChangesRequested";
  criteria: readonly { id: string; met: boolean; evidence: string }[];
  standards: readonly { name: Standard; met: boolean; evidence: string }[];
  findings: readonly string[];
  /** What the author has to do; empty when approved. */
  feedback: string;
}

/** The newest state a host made durable: that of the last second, and each task that is done. */
export interface SessionReport {
  run: number;
  /** Model turns of this run. */
  turns: number;
  /** Seconds of live, unpaused, not budget-waiting session over all runs. */
  liveSeconds: number;
  /** Wall, ms: the model or a tool did something. */
  lastActivityMs: number;
  /** Wall, ms: the host's loop turned, or what it waits for is within its own limit. At most 10 s old while it lives well. */
  heartbeatMs: number;
  /** Id of the task in hand. */
  currentTask?: string;
  /** Ids, in the order they were done. */
  tasksDone: readonly string[];
  /** A tool call or a request is within its own limit right now. */
  busy: boolean;
  /** What the newest of several refusals in a row says: the request is sent again until it is answered. */
  refusal?: string;
  /** Set once, the last thing a run writes. */
  outcome?: Outcome;
}

/** Tri-state: unknown is never taken for absent. */
export type SessionObservation =
  /** A live host process; whether it still shows a heartbeat is its pulse. */
  | { is: "present"; report: SessionReport; pid: number; startedAtMs: number; pulse: Pulse }
  /**
   * Proven gone, its whole process tree too. `report` is undefined when it never wrote one. `unwitnessed`: its host was
   * gone when this operator began to look, so it may have died of what ended the last one, a crash of the machine; or its
   * disk is full, and it may have died of that.
   * `ordered`: it was ended by an order to end now, or by the stop latch.
   */
  | { is: "absent"; report: SessionReport | undefined; unwitnessed?: true; ordered?: true }
  | { is: "unknown"; why: string };

export interface RunningSession {
  id: string;
  /** Undefined: its spec can't be read. */
  agent: string | undefined;
  /** Undefined: whether its host lives can't be seen; `find` says why. */
  pid: number | undefined;
}

export interface Sessions {
  /**
   * An id for a session that is to begin, under which a host is started already; given once. Undefined: any new id
   * does as well.
   */
  spareId(): string | undefined;
  /** Says that session `id` is about to go on, so that its host can be started meanwhile. It may as well not. */
  expect(id: string): void;
  find(id: string): Promise<SessionObservation>;
  /**
   * Starts the host of `spec.run`, or resumes it from the transcript. Does nothing when it lives already. The
   * predecessor's process tree is proven gone first.
   *
   * @returns what `find` says then
   * @throws TransientError when the predecessor can't be proven gone or the host can't be started
   */
  start(spec: SessionSpec): Promise<SessionObservation>;
  /**
   * `AfterTurn` asks and returns at once; `Now` kills the tree and returns when it is proven gone. `Lost` does so too,
   * to a host without a heartbeat: how that one ends was its own doing, and no order.
   *
   * @throws DamagedFile when nothing says which host that is, and nothing carries its mark, which `Now` and `Lost` see to:
   *   asked again, it is no other
   * @throws Error when it can't be read for now, or something is not gone yet
   */
  stop(id: string, how: "AfterTurn" | "Now" | "Lost"): Promise<void>;
  /** Every host that lives, or may, whoever started it. */
  running(): Promise<readonly RunningSession[]>;
  /**
   * Calls `wake` with the agent's name when a session has news: a host that lives, has ended or whose heartbeat fails,
   * another run, a task that is done, refusals that begin, change or end, an outcome. Running numbers are none: who follows them looks as often as it wants to know them. What
   * a start answers is told by that.
   */
  subscribe(wake: (agent: string) => void, signal: AbortSignal): void;
}

/** What `subscribe` compares: of two observations with equal news the later wakes nobody. */
export function newsIn(seen: SessionObservation): unknown {
  if (seen.is === "unknown") return seen;
  const { run, tasksDone, refusal, outcome } = seen.report ?? {};
  const host = seen.is === "present" ? [seen.pid, seen.pulse] : [];
  return [seen.is, ...host, run, tasksDone, refusal, outcome];
}
