// Generated from crds/*.yaml by `npm run generate`. Do not edit: change the definition and run it again.
import type { Event } from "./event.ts";
import type { Condition, ObjectMeta } from "./meta.ts";

export const AGENT_ROLES = ["Execution", "Review"] as const;
export type AgentRole = (typeof AGENT_ROLES)[number];

/** spec is what the pool and the person want. */
export interface AgentSpec {
  /** pool is the name of the AgentPool it belongs to. At most 253 characters. */
  pool: string;
  /** role is what it does; the pool's. */
  role: AgentRole;
  /** paused ends its session after the running turn and keeps claim, branch and transcript. Default: false. */
  paused: boolean;
  /** restartedAt asks for a fresh session host whenever it changes; the transcript is resumed. */
  restartedAt?: string;
}

export const AGENT_STATES = [
  "Idle",
  "ClaimProject",
  "Working",
  "RequestReview",
  "AwaitingReview",
  "Approved",
  "Rejected",
  "ClaimReview",
  "Reviewing",
  "Ideating",
  "CreateProject",
  "Paused",
  "Stopped",
  "Failed",
] as const;
export type AgentState = (typeof AGENT_STATES)[number];

export const AGENT_ACTIVITIES = [
  "working",
  "reviewing",
  "ideating",
  "idle",
  "paused",
  "stopped",
  "failed",
] as const;
export type AgentActivity = (typeof AGENT_ACTIVITIES)[number];

export const AGENT_SESSION_BUSIES = ["Yes", "No"] as const;
export type AgentSessionBusy = (typeof AGENT_SESSION_BUSIES)[number];

/** session is its session, while it has one. */
export interface AgentSession {
  /** id is the session's UUID. At most 63 characters. */
  id: string;
  /** run counts the messages that opened work and rework. From 1 to 1000. */
  run?: number;
  /** claim is the number of the claim it works under. From 1 to 1000000. */
  claim?: number;
  /** pid is the host's process id. From 1 to 4194304. */
  pid?: number;
  /** turns counts model turns of this run. From 0 to 1000000. */
  turns?: number;
  /**
   * failures counts its hosts that ended badly since one last lived for ten minutes, those aside that died with
   * the operator. From 0 to 1000000.
   */
  failures?: number;
  /** startTurns is what turns was when its host was started. From 0 to 1000000. */
  startTurns?: number;
  /** startLiveSeconds is what liveSeconds was when its host was started. From 0 to 100000000. */
  startLiveSeconds?: number;
  /** liveSeconds is how long the session lived, not counting pauses and waiting for budget. From 0 to 100000000. */
  liveSeconds?: number;
  /** lastActivityTime is when the model or a tool last did something. */
  lastActivityTime?: string;
  /** lastChangeTime is when HEAD or git status of the checkout was last seen to change. */
  lastChangeTime?: string;
  /**
   * unchangedSeconds is how many seconds of live session HEAD and git status had not changed then: sleep, pause
   * and jumps of the clock do not count. From 0 to 100000000.
   */
  unchangedSeconds?: number;
  /** fingerprint is what HEAD and git status were then. At most 64 characters. */
  fingerprint?: string;
  /** lastLookTime is when the session and its checkout were last looked at closely. */
  lastLookTime?: string;
  /** busy is whether a tool call or a request was within its own limit then. */
  busy?: AgentSessionBusy;
  /** restartedAt is the spec's restartedAt that was last acted on. */
  restartedAt?: string;
}

/** status is what Bosun observed; nobody else writes it. */
export interface AgentStatus {
  /** conditions says what is true of the object now, and why, one entry a type. At most 20 items. */
  conditions?: Condition[];
  /** observedGeneration is the generation of the spec that the status speaks of. From 0 to 9007199254740991. */
  observedGeneration?: number;
  /** id is the number in its name and its branches. From 1 to 10. */
  id?: number;
  /** state is where it stands in its table of states. */
  state?: AgentState;
  /** activity is one word for people. */
  activity?: AgentActivity;
  /** project is the name of the Project it has claimed or reviews. At most 253 characters. */
  project?: string;
  /** projectNumber is the Project's number. From 0 to 100000000. */
  projectNumber?: number;
  /** review is the name of the Review it has claimed. At most 253 characters. */
  review?: string;
  /** phase is the phase of its Project. At most 63 characters. */
  phase?: string;
  /** currentTask is the id of the task in hand. At most 63 characters. */
  currentTask?: string;
  /** tasksDone lists the ids of the tasks that are done. At most 50 items. */
  tasksDone?: string[];
  /** branch is the branch it commits to. At most 244 characters. */
  branch?: string;
  /** session is its session, while it has one. */
  session?: AgentSession;
  /**
   * failures counts sessions that ended badly since one last went well, lived for ten minutes, a person restarted
   * the agent, or a spec that it depends on changed. It is the number of restarts of a crash loop. From 0 to
   * 1000000.
   */
  failures?: number;
  /** errors counts sessions that ended badly in all. From 0 to 100000000. */
  errors?: number;
  /** lastError is what went wrong last. At most 1024 characters. */
  lastError?: string;
  /** nextStartTime is when a failed session is started again, and not before it anything is claimed. */
  nextStartTime?: string;
  /**
   * failureMark is the generations of Workspace, pool and agent under which the last session ended badly; when
   * they have changed, what failed is tried again at once. At most 253 characters.
   */
  failureMark?: string;
  /**
   * budgetMark is the windows and limits under which a request was refused; the agent goes on when they have
   * changed. At most 1024 characters.
   */
  budgetMark?: string;
}

/** An Agent is one worker of a pool. Pools make and remove them. */
export interface Agent {
  apiVersion: "bosun.dev/v1alpha1";
  kind: "Agent";
  metadata: ObjectMeta;
  /** spec is what the pool and the person want. */
  spec: AgentSpec;
  /** status is what Bosun observed; nobody else writes it. */
  status?: AgentStatus;
}

export const AGENT_POOL_ROLES = ["Execution", "Review"] as const;
export type AgentPoolRole = (typeof AGENT_POOL_ROLES)[number];

export const AGENT_POOL_RUNNERS = ["sdk"] as const;
export type AgentPoolRunner = (typeof AGENT_POOL_RUNNERS)[number];

/** spec is what the person wants. */
export interface AgentPoolSpec {
  /** role is what the agents do; it can't be changed. */
  role: AgentPoolRole;
  /**
   * replicas is how many agents there should be; a workspace has 10 over all pools at most, the rest wait.
   * Default: 1. From 0 to 10.
   */
  replicas: number;
  /** runner is what drives the model: sdk, Bosun's own tool loop. Default: "sdk". */
  runner: AgentPoolRunner;
  /**
   * model is the name of the model; the price file must have it. Default: "claude-sonnet-5-5". At most 100
   * characters.
   */
  model: string;
  /**
   * maxOutputTokens is the most one answer may have, in tokens; the gateway lowers max_tokens to it. Default:
   * 16000. From 2000 to 128000.
   */
  maxOutputTokens: number;
  /** paused ends the agents' sessions after their turn and keeps claims, branches and transcripts. Default: false. */
  paused: boolean;
  /** persona is added to what review agents are told of themselves. At most 4000 characters. */
  persona?: string;
  /** criteria are judged by review agents besides the Project's own. At most 20 items. */
  criteria?: string[];
}

/** status is what Bosun observed; nobody else writes it. */
export interface AgentPoolStatus {
  /** conditions says what is true of the object now, and why, one entry a type. At most 20 items. */
  conditions?: Condition[];
  /** observedGeneration is the generation of the spec that the status speaks of. From 0 to 9007199254740991. */
  observedGeneration?: number;
  /** replicas is how many agents there are. From 0 to 10. */
  replicas?: number;
  /** readyReplicas is how many of them are Ready. From 0 to 10. */
  readyReplicas?: number;
  /** workingReplicas is how many of them have work in hand. From 0 to 10. */
  workingReplicas?: number;
  /** selector selects the agents by label. At most 256 characters. */
  selector?: string;
}

/** An AgentPool keeps a number of like agents. */
export interface AgentPool {
  apiVersion: "bosun.dev/v1alpha1";
  kind: "AgentPool";
  metadata: ObjectMeta;
  /** spec is what the person wants. */
  spec: AgentPoolSpec;
  /** status is what Bosun observed; nobody else writes it. */
  status?: AgentPoolStatus;
}

/** daily is what may be spent in one day of the time zone. */
export interface BudgetDaily {
  /** usd is the limit in US dollars. From 0 to 1000000. */
  usd?: number;
  /** tokens is the limit in tokens, all kinds added. From 0 to 1000000000000. */
  tokens?: number;
}

/** monthly is what may be spent in one month of the time zone. */
export interface BudgetMonthly {
  /** usd is the limit in US dollars. From 0 to 1000000. */
  usd?: number;
  /** tokens is the limit in tokens, all kinds added. From 0 to 1000000000000. */
  tokens?: number;
}

/** selector chooses the Agents that it holds for; without one, all. */
export interface BudgetSelector {
  /** matchLabels are labels that an Agent must have. At most 10 entries. */
  matchLabels?: Record<string, string>;
}

/** spec is what the person allows. */
export interface BudgetSpec {
  /** daily is what may be spent in one day of the time zone. */
  daily?: BudgetDaily;
  /** monthly is what may be spent in one month of the time zone. */
  monthly?: BudgetMonthly;
  /**
   * timeZone is an IANA name, such as Europe/Berlin; days and months begin there. Default: "UTC". At most 64
   * characters.
   */
  timeZone: string;
  /**
   * alertPercents are the shares of a limit at which people are told, once each per window. Default: [50,75,90].
   * At most 10 items.
   */
  alertPercents: number[];
  /** selector chooses the Agents that it holds for; without one, all. */
  selector?: BudgetSelector;
}

/** daily is the running day. */
export interface BudgetStatusDaily {
  /** window is the day, such as 2026-11-23. At most 10 characters. */
  window?: string;
  /** spentUSD is what was settled. From 0 to 100000000. */
  spentUSD?: number;
  /** reservedUSD is what requests in flight may still cost. From 0 to 100000000. */
  reservedUSD?: number;
  /** remainingUSD is what is left for new requests; absent without a limit. From 0 to 100000000. */
  remainingUSD?: number;
  /** spentTokens is what was settled. From 0 to 9007199254740991. */
  spentTokens?: number;
  /** reservedTokens is what requests in flight may still use. From 0 to 9007199254740991. */
  reservedTokens?: number;
  /** remainingTokens is what is left; absent without a limit. From 0 to 9007199254740991. */
  remainingTokens?: number;
  /** requests counts the requests that were sent. From 0 to 1000000000. */
  requests?: number;
  /**
   * unsettled counts requests that were charged their bound because their usage was never seen. From 0 to
   * 1000000000.
   */
  unsettled?: number;
  /** endTime is when the next one begins. */
  endTime?: string;
}

/** monthly is the running month. */
export interface BudgetStatusMonthly {
  /** window is the month, such as 2026-11. At most 10 characters. */
  window?: string;
  /** spentUSD is what was settled. From 0 to 100000000. */
  spentUSD?: number;
  /** reservedUSD is what requests in flight may still cost. From 0 to 100000000. */
  reservedUSD?: number;
  /** remainingUSD is what is left for new requests; absent without a limit. From 0 to 100000000. */
  remainingUSD?: number;
  /** spentTokens is what was settled. From 0 to 9007199254740991. */
  spentTokens?: number;
  /** reservedTokens is what requests in flight may still use. From 0 to 9007199254740991. */
  reservedTokens?: number;
  /** remainingTokens is what is left; absent without a limit. From 0 to 9007199254740991. */
  remainingTokens?: number;
  /** requests counts the requests that were sent. From 0 to 1000000000. */
  requests?: number;
  /**
   * unsettled counts requests that were charged their bound because their usage was never seen. From 0 to
   * 1000000000.
   */
  unsettled?: number;
  /** endTime is when the next one begins. */
  endTime?: string;
}

/** One alert. */
export interface BudgetAlert {
  /** window is the day or month. At most 10 characters. */
  window: string;
  /** percent is the threshold. From 1 to 100. */
  percent: number;
  /** time is when it was passed. */
  time?: string;
}

/** status is what Bosun observed; nobody else writes it. */
export interface BudgetStatus {
  /** conditions says what is true of the object now, and why, one entry a type. At most 20 items. */
  conditions?: Condition[];
  /** observedGeneration is the generation of the spec that the status speaks of. From 0 to 9007199254740991. */
  observedGeneration?: number;
  /** daily is the running day. */
  daily?: BudgetStatusDaily;
  /** monthly is the running month. */
  monthly?: BudgetStatusMonthly;
  /** corrections counts how often a person said what a request cost; more may be left since. From 0 to 1000000000. */
  corrections?: number;
  /** alerts are the thresholds passed in the running windows, each once. At most 60 items. */
  alerts?: BudgetAlert[];
}

/** A Budget is a hard limit on what sessions may spend. */
export interface Budget {
  apiVersion: "bosun.dev/v1alpha1";
  kind: "Budget";
  metadata: ObjectMeta;
  /** spec is what the person allows. */
  spec: BudgetSpec;
  /** status is what Bosun observed; nobody else writes it. */
  status?: BudgetStatus;
}

export const CATEGORY_MODES = ["Enabled", "Paused", "Disabled"] as const;
export type CategoryMode = (typeof CATEGORY_MODES)[number];

/** spec is what the person wants. */
export interface CategorySpec {
  /** mode is Enabled, Paused (no ideation, its Projects wait) or Disabled (no ideation). Default: "Enabled". */
  mode: CategoryMode;
}

/** status is what Bosun observed; nobody else writes it. */
export interface CategoryStatus {
  /** conditions says what is true of the object now, and why, one entry a type. At most 20 items. */
  conditions?: Condition[];
  /** observedGeneration is the generation of the spec that the status speaks of. From 0 to 9007199254740991. */
  observedGeneration?: number;
  /** lastIdeationTime is when an agent last looked for ideas in it. */
  lastIdeationTime?: string;
  /** coolDownUntil is when ideation may look again. */
  coolDownUntil?: string;
  /** proposed counts the Projects that agents proposed. From 0 to 1000000. */
  proposed?: number;
  /** accepted counts the proposals that were accepted. From 0 to 1000000. */
  accepted?: number;
  /** merged counts those that were merged. From 0 to 1000000. */
  merged?: number;
  /** valuable counts those that people rated Valuable. From 0 to 1000000. */
  valuable?: number;
}

/** A Category is one of the 21 improvement categories in which agents may propose Projects. */
export interface Category {
  apiVersion: "bosun.dev/v1alpha1";
  kind: "Category";
  metadata: ObjectMeta;
  /** spec is what the person wants. Default: {}. */
  spec: CategorySpec;
  /** status is what Bosun observed; nobody else writes it. */
  status?: CategoryStatus;
}

export const ESCALATION_REASONS = [
  "ReviewDeadlock",
  "ReviewTimedOut",
  "MergeConflict",
  "Stuck",
  "TimedOut",
  "SessionFailing",
  "ProtectedPath",
  "SecretFound",
  "TargetRewritten",
] as const;
export type EscalationReason = (typeof ESCALATION_REASONS)[number];

/** perspectives are what both sides say. */
export interface EscalationPerspectives {
  /** author is what the author says. At most 16384 characters. */
  author?: string;
  /** reviewer is what the reviewer says. At most 16384 characters. */
  reviewer?: string;
}

export const ESCALATION_RESOLUTION_ACTIONS = [
  "Approve",
  "Rework",
  "Abandon",
  "Resolved",
  "Continue",
  "Reassign",
] as const;
export type EscalationResolutionAction = (typeof ESCALATION_RESOLUTION_ACTIONS)[number];

/** resolution is the person's answer. */
export interface EscalationResolution {
  /** action is what is done. */
  action: EscalationResolutionAction;
  /** note is told to the agent, or kept with the record. At most 4000 characters. */
  note?: string;
}

/** spec is what happened, and the person's answer. */
export interface EscalationSpec {
  /** project is the name of the Project; absent where the whole repository is meant. At most 253 characters. */
  project?: string;
  /** reason is why a person is asked. */
  reason: EscalationReason;
  /** message says what happened and what each action would do. At most 4000 characters. */
  message?: string;
  /** commit is the commit that it is about; an approval holds for it alone. At most 64 characters. */
  commit?: string;
  /** perspectives are what both sides say. */
  perspectives?: EscalationPerspectives;
  /** conflictingFiles are the files that do not merge. At most 200 items. */
  conflictingFiles?: string[];
  /** resolution is the person's answer. */
  resolution?: EscalationResolution;
}

export const ESCALATION_STATES = ["Open", "Resolved"] as const;
export type EscalationState = (typeof ESCALATION_STATES)[number];

/** status is what Bosun observed; nobody else writes it. */
export interface EscalationStatus {
  /** conditions says what is true of the object now, and why, one entry a type. At most 20 items. */
  conditions?: Condition[];
  /** observedGeneration is the generation of the spec that the status speaks of. From 0 to 9007199254740991. */
  observedGeneration?: number;
  /** state is one word for people. */
  state?: EscalationState;
  /** outcome is what was done. At most 1024 characters. */
  outcome?: string;
  /** resolvedTime is when it was done. */
  resolvedTime?: string;
}

/** An Escalation is a question that only a person can answer. */
export interface Escalation {
  apiVersion: "bosun.dev/v1alpha1";
  kind: "Escalation";
  metadata: ObjectMeta;
  /** spec is what happened, and the person's answer. */
  spec: EscalationSpec;
  /** status is what Bosun observed; nobody else writes it. */
  status?: EscalationStatus;
}

export const PROJECT_CATEGORIES = [
  "accessibility",
  "api-design",
  "bug-fixes",
  "ci-cd",
  "code-quality",
  "configuration",
  "data-validation",
  "dead-code",
  "dependencies",
  "developer-experience",
  "documentation",
  "error-handling",
  "internationalization",
  "logging",
  "monitoring",
  "performance",
  "refactoring",
  "security",
  "testing",
  "type-safety",
  "user-experience",
] as const;
export type ProjectCategory = (typeof PROJECT_CATEGORIES)[number];

/** One step. */
export interface ProjectTask {
  /** id is T-1, T-2, ... At most 5 characters. */
  id: string;
  /** title says in one line what to do. At most 200 characters. */
  title: string;
  /** description is what the agent needs to know. At most 4000 characters. */
  description?: string;
  /** criteria are the ids of the acceptance criteria that the task serves. At most 50 items. */
  criteria?: string[];
}

/** One acceptance criterion. */
export interface ProjectAcceptanceCriterion {
  /** id is AC-1, AC-2, ... At most 6 characters. */
  id: string;
  /** text is what must be true of the finished work. At most 2000 characters. */
  text: string;
}

export const PROJECT_ORIGINS = ["Human", "Ideation"] as const;
export type ProjectOrigin = (typeof PROJECT_ORIGINS)[number];

/** github is where the Project came from on GitHub. */
export interface ProjectGithub {
  /** issue is the number of the issue. From 1 to 100000000. */
  issue?: number;
  /** item is the node id of the GitHub Project's item. At most 100 characters. */
  item?: string;
}

export const PROJECT_RATINGS = ["Valuable", "Neutral", "Unwanted"] as const;
export type ProjectRating = (typeof PROJECT_RATINGS)[number];

/** limits lower the Workspace's limits for this Project. */
export interface ProjectLimits {
  /**
   * projectSeconds is how long agents may work on it over all cycles, in seconds of a live session. From 60 to
   * 28800.
   */
  projectSeconds?: number;
}

/** spec is what the person, or an agent with an idea, wants done. */
export interface ProjectSpec {
  /** title says in one line what is to be done. At most 200 characters. */
  title: string;
  /** description is what the agent needs to know. At most 20000 characters. */
  description?: string;
  /** category is the improvement category it belongs to. */
  category?: ProjectCategory;
  /** tasks are the steps; progress is tasks done of tasks. At most 50 items. */
  tasks?: ProjectTask[];
  /** acceptanceCriteria are what the work is judged by; a claim copies them. At most 50 items. */
  acceptanceCriteria?: ProjectAcceptanceCriterion[];
  /** origin is who had the idea: Human, or Ideation by an agent. Default: "Human". */
  origin: ProjectOrigin;
  /** github is where the Project came from on GitHub. */
  github?: ProjectGithub;
  /**
   * assignedAgent is the only agent that may claim it; changing it moves the work on from its last commit. At most
   * 8 characters.
   */
  assignedAgent?: string;
  /** skip keeps it out of the queue; work in hand is kept on its branch. Default: false. */
  skip: boolean;
  /** rating is what a person thinks of the result. */
  rating?: ProjectRating;
  /**
   * approvedHead is the commit that a person lets merge, where the Workspace's merge mode is Manual. At most 64
   * characters.
   */
  approvedHead?: string;
  /** limits lower the Workspace's limits for this Project. */
  limits?: ProjectLimits;
}

export const PROJECT_PHASES = [
  "Proposed",
  "Queued",
  "Working",
  "InReview",
  "ChangesRequested",
  "Approved",
  "Merging",
  "Done",
  "Escalated",
  "Abandoned",
  "Skipped",
  "Rejected",
] as const;
export type ProjectPhase = (typeof PROJECT_PHASES)[number];

/** One acceptance criterion. */
export interface ProjectClaimCriterion {
  /** id is AC-1, AC-2, ... At most 6 characters. */
  id: string;
  /** text is what must be true of the finished work. At most 2000 characters. */
  text: string;
}

/** claim is who works on it now. */
export interface ProjectClaim {
  /** agent is the Agent's name. At most 8 characters. */
  agent: string;
  /** agentUID is the Agent's uid. At most 63 characters. */
  agentUID: string;
  /** number grows by one at each claim. From 1 to 1000000. */
  number: number;
  /** session is the session's UUID. At most 63 characters. */
  session: string;
  /** run counts the messages that opened work and rework. From 1 to 1000. */
  run: number;
  /** lostRun is the newest run whose work was lost with its checkout before it was taken from it. From 1 to 1000. */
  lostRun?: number;
  /** time is when it was claimed. */
  time?: string;
  /** branch is where the agent commits. At most 244 characters. */
  branch?: string;
  /** from is the commit the work started from; empty where it is the target. At most 64 characters. */
  from?: string;
  /** message is what the run was opened with besides the Project; empty for the first. At most 16384 characters. */
  message?: string;
  /** criteria are the acceptance criteria as they were when it was claimed. At most 50 items. */
  criteria?: ProjectClaimCriterion[];
}

/** submission is what the author last handed over for review. */
export interface ProjectSubmission {
  /** head is the commit. At most 64 characters. */
  head: string;
  /** run is the run that ended with it. From 1 to 1000. */
  run: number;
  /** claim is the number of the claim it was made under. From 1 to 1000000. */
  claim?: number;
  /** agent is the author. At most 8 characters. */
  agent: string;
  /** summary is what the author says of it. At most 8192 characters. */
  summary?: string;
}

export const PROJECT_VERDICT_RESULTS = ["Approved", "ChangesRequested"] as const;
export type ProjectVerdictResult = (typeof PROJECT_VERDICT_RESULTS)[number];

/** verdict is what was decided about the submission; it holds for that commit and run alone. */
export interface ProjectVerdict {
  /** head is the commit. At most 64 characters. */
  head: string;
  /** run is the run that ended with it. From 1 to 1000. */
  run: number;
  /** result is what was decided. */
  result: ProjectVerdictResult;
  /** review is the name of the Review. At most 253 characters. */
  review?: string;
  /** by is the agent that reviewed, or person. At most 63 characters. */
  by: string;
  /** feedback is what the author has to do. At most 16384 characters. */
  feedback?: string;
}

/** mergeFailure is why the submission could not be merged; it holds for that commit and run alone. */
export interface ProjectMergeFailure {
  /** head is the commit. At most 64 characters. */
  head: string;
  /** run is the run that ended with it. From 1 to 1000. */
  run: number;
  /** reason is one word, such as Conflict or ChecksFailed. At most 63 characters. */
  reason: string;
  /** message is what the author has to do. At most 16384 characters. */
  message: string;
  /** target is the commit that it did not merge into. At most 64 characters. */
  target?: string;
  /** files are the files that do not merge. At most 200 items. */
  files?: string[];
}

/** merge is what the queue is about to do or has done. */
export interface ProjectMerge {
  /** from is the commit the target is expected at. At most 64 characters. */
  from?: string;
  /** to is the commit the target is moved to. At most 64 characters. */
  to?: string;
  /** head is the reviewed commit that goes in. At most 64 characters. */
  head?: string;
  /** time is when it was planned. */
  time?: string;
}

export const PROJECT_RESOLUTION_ACTIONS = [
  "Approve",
  "Rework",
  "Abandon",
  "Resolved",
  "Continue",
  "Reassign",
] as const;
export type ProjectResolutionAction = (typeof PROJECT_RESOLUTION_ACTIONS)[number];

/** One decision. */
export interface ProjectResolution {
  /** escalation is the name of the Escalation. At most 253 characters. */
  escalation: string;
  /** reason is the Escalation's reason. At most 63 characters. */
  reason: string;
  /** action is what the person chose. */
  action: ProjectResolutionAction;
  /** commit is the only commit it holds for. At most 64 characters. */
  commit?: string;
  /** note is what the person wrote. At most 4000 characters. */
  note?: string;
}

/**
 * estimate is what it may cost in all, told before it is claimed; absent while fewer than three Projects are
 * finished.
 */
export interface ProjectEstimate {
  /** usd is about what it costs. From 0 to 1000000. */
  usd: number;
  /** lowUSD is where the range begins. From 0 to 1000000. */
  lowUSD: number;
  /** highUSD is where the range ends. From 0 to 1000000. */
  highUSD: number;
  /** tokens is about how many tokens it uses. From 0 to 9007199254740991. */
  tokens: number;
  /** lowTokens is where the range begins. From 0 to 9007199254740991. */
  lowTokens: number;
  /** highTokens is where the range ends. From 0 to 9007199254740991. */
  highTokens: number;
  /** coveragePercent is how many of a hundred Projects like it end within the range. From 0 to 100. */
  coveragePercent: number;
  /** projects is how many finished Projects it is told from. From 3 to 50. */
  projects: number;
}

/** status is what Bosun observed; nobody else writes it. */
export interface ProjectStatus {
  /** conditions says what is true of the object now, and why, one entry a type. At most 20 items. */
  conditions?: Condition[];
  /** observedGeneration is the generation of the spec that the status speaks of. From 0 to 9007199254740991. */
  observedGeneration?: number;
  /** number is given once and never reused; it is in the branch's name. From 1 to 100000000. */
  number?: number;
  /** creationRevision orders the queue. At most 20 characters. */
  creationRevision?: string;
  /** phase is one word for people; conditions say why. */
  phase?: ProjectPhase;
  /** claimNumber is the number of the newest claim. From 0 to 1000000. */
  claimNumber?: number;
  /** claim is who works on it now. */
  claim?: ProjectClaim;
  /** branch is the newest branch with its work. At most 244 characters. */
  branch?: string;
  /** base is the commit that its branch left the target at. At most 64 characters. */
  base?: string;
  /** head is the newest commit of the branch that Bosun has. At most 64 characters. */
  head?: string;
  /** submission is what the author last handed over for review. */
  submission?: ProjectSubmission;
  /** review is the name of the newest Review. At most 253 characters. */
  review?: string;
  /** reviewCycles counts the reviews that asked for changes. From 0 to 1000. */
  reviewCycles?: number;
  /** extraCycles counts the cycles that people granted by resolving an Escalation with Rework. From 0 to 1000. */
  extraCycles?: number;
  /** pendingConflicts counts failed attempts to merge. From 0 to 1000. */
  pendingConflicts?: number;
  /** verdict is what was decided about the submission; it holds for that commit and run alone. */
  verdict?: ProjectVerdict;
  /** mergeFailure is why the submission could not be merged; it holds for that commit and run alone. */
  mergeFailure?: ProjectMergeFailure;
  /** merge is what the queue is about to do or has done. */
  merge?: ProjectMerge;
  /** resolutions are what people decided, newest last. At most 50 items. */
  resolutions?: ProjectResolution[];
  /** escalation is the name of the open Escalation. At most 253 characters. */
  escalation?: string;
  /** progressPercent is tasks done of tasks. From 0 to 100. */
  progressPercent?: number;
  /** currentTask is the id of the task in hand. At most 63 characters. */
  currentTask?: string;
  /** tasksDone lists the ids of the tasks that are done. At most 50 items. */
  tasksDone?: string[];
  /** workedSeconds is how long earlier sessions lived, in seconds. From 0 to 100000000. */
  workedSeconds?: number;
  /** elapsedSeconds is how long agents worked on it in all, in seconds of live sessions. From 0 to 100000000. */
  elapsedSeconds?: number;
  /** costUSD is what the ledger has for it. From 0 to 1000000. */
  costUSD?: number;
  /** costTokens is what the ledger has for it, in tokens of all kinds. From 0 to 9007199254740991. */
  costTokens?: number;
  /**
   * estimate is what it may cost in all, told before it is claimed; absent while fewer than three Projects are
   * finished.
   */
  estimate?: ProjectEstimate;
  /** mergeCommit is the commit that brought it into the target. At most 64 characters. */
  mergeCommit?: string;
  /** pullRequest is the number of its pull request. From 1 to 100000000. */
  pullRequest?: number;
  /** completionTime is when it was done or given up. */
  completionTime?: string;
}

/** A Project is one piece of work that one agent does on one branch. */
export interface Project {
  apiVersion: "bosun.dev/v1alpha1";
  kind: "Project";
  metadata: ObjectMeta;
  /** spec is what the person, or an agent with an idea, wants done. */
  spec: ProjectSpec;
  /** status is what Bosun observed; nobody else writes it. */
  status?: ProjectStatus;
}

export const REVIEW_TYPES = ["Proposal", "Completion"] as const;
export type ReviewType = (typeof REVIEW_TYPES)[number];

/** One acceptance criterion. */
export interface ReviewCriterion {
  /** id is AC-1, AC-2, ... At most 6 characters. */
  id: string;
  /** text is what must be true of the finished work. At most 2000 characters. */
  text: string;
}

/** spec is what is judged; it never changes. */
export interface ReviewSpec {
  /** project is the name of the Project. At most 253 characters. */
  project: string;
  /** type is Completion of work, or the Proposal of a Project. Default: "Completion". */
  type: ReviewType;
  /** cycle counts the Project's reviews, 1 for the first. From 1 to 1000. */
  cycle: number;
  /** baseCommit is where the branch left the target. At most 64 characters. */
  baseCommit: string;
  /** headCommit is the commit that is judged. At most 64 characters. */
  headCommit: string;
  /** author is the agent that may not review it. At most 8 characters. */
  author: string;
  /** summary is what the author says of it. At most 8192 characters. */
  summary?: string;
  /** criteria are what it is judged by. At most 50 items. */
  criteria?: ReviewCriterion[];
}

export const REVIEW_STATES = ["Pending", "Reviewing", "Settled", "Cancelled"] as const;
export type ReviewState = (typeof REVIEW_STATES)[number];

/** claim is who reviews it now. */
export interface ReviewClaim {
  /** agent is the Agent's name. At most 8 characters. */
  agent: string;
  /** agentUID is the Agent's uid. At most 63 characters. */
  agentUID: string;
  /** number grows by one at each claim. From 1 to 1000000. */
  number: number;
  /** session is the session's UUID. At most 63 characters. */
  session: string;
  /** time is when it was claimed. */
  time?: string;
}

export const REVIEW_VERDICTS = ["Approved", "ChangesRequested"] as const;
export type ReviewVerdict = (typeof REVIEW_VERDICTS)[number];

/** One criterion. */
export interface ReviewStatusCriterion {
  /** id is the criterion's id. At most 63 characters. */
  id: string;
  /** met is whether it is met. */
  met: boolean;
  /** evidence is where that can be seen. At most 4000 characters. */
  evidence: string;
}

export const REVIEW_STANDARD_NAMES = [
  "TestsPass",
  "LintClean",
  "NoSecurityIssue",
  "CriteriaMet",
  "Documented",
] as const;
export type ReviewStandardName = (typeof REVIEW_STANDARD_NAMES)[number];

/** One standard. */
export interface ReviewStandard {
  /** name is the standard's name. */
  name: ReviewStandardName;
  /** met is whether it is met. */
  met: boolean;
  /** evidence is where that can be seen. At most 4000 characters. */
  evidence: string;
}

export const REVIEW_CHECK_NAMES = ["setup", "lint", "test", "build"] as const;
export type ReviewCheckName = (typeof REVIEW_CHECK_NAMES)[number];

export const REVIEW_CHECK_RESULTS = ["Passed", "Failed", "TimedOut", "Missing", "NoTests"] as const;
export type ReviewCheckResult = (typeof REVIEW_CHECK_RESULTS)[number];

/** One command. */
export interface ReviewCheck {
  /** name is the command's name in the Workspace. */
  name: ReviewCheckName;
  /** result is what came out. */
  result: ReviewCheckResult;
  /** seconds is how long it took. From 0 to 100000. */
  seconds?: number;
  /** output is the end of what it printed. At most 4096 characters. */
  output?: string;
}

/** status is what Bosun observed; nobody else writes it. */
export interface ReviewStatus {
  /** conditions says what is true of the object now, and why, one entry a type. At most 20 items. */
  conditions?: Condition[];
  /** observedGeneration is the generation of the spec that the status speaks of. From 0 to 9007199254740991. */
  observedGeneration?: number;
  /** state is one word for people. */
  state?: ReviewState;
  /** claimNumber is the number of the newest claim. From 0 to 1000000. */
  claimNumber?: number;
  /** claim is who reviews it now. */
  claim?: ReviewClaim;
  /** reviewer is the agent whose judgement counts. At most 8 characters. */
  reviewer?: string;
  /** timeouts counts the sessions that took too long. From 0 to 100. */
  timeouts?: number;
  /** verdict is what came out. */
  verdict?: ReviewVerdict;
  /** criteria are the acceptance criteria with their evidence. At most 100 items. */
  criteria?: ReviewStatusCriterion[];
  /** standards are the five standards with their evidence. At most 5 items. */
  standards?: ReviewStandard[];
  /** checks are the results of the check commands on the commit. At most 4 items. */
  checks?: ReviewCheck[];
  /** findings are single remarks of the reviewer and of Bosun's own inspection. At most 100 items. */
  findings?: string[];
  /** feedback is what the author has to do. At most 16384 characters. */
  feedback?: string;
  /** costUSD is what the ledger has for it. From 0 to 1000000. */
  costUSD?: number;
}

/** A Review is the judgement of one commit by an agent that did not write it. */
export interface Review {
  apiVersion: "bosun.dev/v1alpha1";
  kind: "Review";
  metadata: ObjectMeta;
  /** spec is what is judged; it never changes. */
  spec: ReviewSpec;
  /** status is what Bosun observed; nobody else writes it. */
  status?: ReviewStatus;
}

/** repository is the git repository that is worked on. */
export interface WorkspaceRepository {
  /**
   * path is where the repository's work tree is, relative to the folder that holds .claude-sessions. Default: ".".
   * At most 4096 characters.
   */
  path: string;
  /**
   * targetBranch is the branch that approved work is merged into; it must exist. Default: "main". At most 244
   * characters.
   */
  targetBranch: string;
}

/** github is where the repository lives on GitHub; without it Bosun works on the local repository alone. */
export interface WorkspaceGithub {
  /** owner is the user or organization. At most 39 characters. */
  owner: string;
  /** repository is the repository's name without its owner. At most 100 characters. */
  repository: string;
  /** projectNumber is the number of the GitHub Project whose items become Projects. From 1 to 1000000. */
  projectNumber?: number;
}

/** checkout is how the checkouts of claims are made. */
export interface WorkspaceCheckout {
  /**
   * include lists files that git ignores and checkouts of agents and checks need, as glob patterns; files that
   * look like secrets are refused. At most 50 items.
   */
  include?: string[];
}

export const WORKSPACE_CHECKS = ["Required", "None"] as const;
export type WorkspaceChecks = (typeof WORKSPACE_CHECKS)[number];

/**
 * setup is what makes a checkout ready, such as installing dependencies: once in each checkout of an agent and
 * before other checks; it alone may use the network, where setupNetwork allows it.
 */
export interface WorkspaceCommandsSetup {
  /** run is one line for bash, started in the root of a clean checkout, in the sandbox. At most 2000 characters. */
  run: string;
  /**
   * timeoutSeconds is how long the command may take in all; past it the command is ended and counts as failed.
   * Default: 600. From 1 to 7200.
   */
  timeoutSeconds: number;
}

/** lint is the linter. */
export interface WorkspaceCommandsLint {
  /** run is one line for bash, started in the root of a clean checkout, in the sandbox. At most 2000 characters. */
  run: string;
  /**
   * timeoutSeconds is how long the command may take in all; past it the command is ended and counts as failed.
   * Default: 600. From 1 to 7200.
   */
  timeoutSeconds: number;
}

/** test is the test command; one that runs no test counts as failed. */
export interface WorkspaceCommandsTest {
  /** run is one line for bash, started in the root of a clean checkout, in the sandbox. At most 2000 characters. */
  run: string;
  /**
   * timeoutSeconds is how long the command may take in all; past it the command is ended and counts as failed.
   * Default: 600. From 1 to 7200.
   */
  timeoutSeconds: number;
}

/** build is the build. */
export interface WorkspaceCommandsBuild {
  /** run is one line for bash, started in the root of a clean checkout, in the sandbox. At most 2000 characters. */
  run: string;
  /**
   * timeoutSeconds is how long the command may take in all; past it the command is ended and counts as failed.
   * Default: 600. From 1 to 7200.
   */
  timeoutSeconds: number;
}

/** commands are what decides whether a commit is good; each runs in a clean checkout, in this order. */
export interface WorkspaceCommands {
  /**
   * setup is what makes a checkout ready, such as installing dependencies: once in each checkout of an agent and
   * before other checks; it alone may use the network, where setupNetwork allows it.
   */
  setup?: WorkspaceCommandsSetup;
  /** lint is the linter. */
  lint?: WorkspaceCommandsLint;
  /** test is the test command; one that runs no test counts as failed. */
  test?: WorkspaceCommandsTest;
  /** build is the build. */
  build?: WorkspaceCommandsBuild;
}

export const WORKSPACE_SETUP_NETWORKS = ["None", "Host"] as const;
export type WorkspaceSetupNetwork = (typeof WORKSPACE_SETUP_NETWORKS)[number];

/** limits bound what one piece of work may take; they can be lowered, never raised. */
export interface WorkspaceLimits {
  /**
   * projectSeconds is how long agents may work on a Project over all its cycles, in seconds of a live session;
   * past it the work is kept and the Project abandoned. Default: 28800. From 60 to 28800.
   */
  projectSeconds: number;
  /**
   * reviewSeconds is how long a review may take, in seconds of a live session; past it another session reviews,
   * the second time a person decides. Default: 7200. From 60 to 7200.
   */
  reviewSeconds: number;
  /**
   * stuckSeconds is how long a session may change neither HEAD nor git status while nothing runs within its own
   * limit, in seconds. Default: 1800. From 60 to 1800.
   */
  stuckSeconds: number;
  /** reviewCycles is how many rejected reviews a Project may have before a person decides. Default: 3. From 1 to 3. */
  reviewCycles: number;
  /** pendingConflicts is how often work may fail to merge before a person decides. Default: 3. From 1 to 3. */
  pendingConflicts: number;
  /** toolSeconds is how long one command of an agent may run, in seconds. Default: 600. From 1 to 3600. */
  toolSeconds: number;
  /** sessionTurns is how many model turns one run of a session may take. Default: 200. From 1 to 1000. */
  sessionTurns: number;
}

export const WORKSPACE_MODES = ["Running", "Paused", "Stopped"] as const;
export type WorkspaceMode = (typeof WORKSPACE_MODES)[number];

export const WORKSPACE_MERGE_MODES = ["Auto", "Manual"] as const;
export type WorkspaceMergeMode = (typeof WORKSPACE_MERGE_MODES)[number];

/** merge is how approved work reaches the target. */
export interface WorkspaceMerge {
  /** mode is Auto, or Manual: a person sets approvedHead of the Project first. Default: "Auto". */
  mode: WorkspaceMergeMode;
}

export const WORKSPACE_SANDBOXES = ["Required", "Off"] as const;
export type WorkspaceSandbox = (typeof WORKSPACE_SANDBOXES)[number];

/** commits is who commits are by. */
export interface WorkspaceCommits {
  /** authorName replaces Bosun agent-1, Bosun agent-2, ... At most 100 characters. */
  authorName?: string;
  /** authorEmail replaces agent-1@bosun.invalid, ... At most 254 characters. */
  authorEmail?: string;
}

/** One admitted field. */
export interface WorkspaceGatewayAdmit {
  /** field is the name that the refusal gave. At most 100 characters. */
  field: string;
  /** priceFactor multiplies the bound and the price of requests that use it. From 1 to 100. */
  priceFactor: number;
}

/** gateway is what the gateway lets through besides what it can bound by itself. */
export interface WorkspaceGateway {
  /**
   * admit lists request fields, tool types or sources that are let through at a factor of the price. At most 20
   * items.
   */
  admit?: WorkspaceGatewayAdmit[];
}

/** notify is told of what needs a person. */
export interface WorkspaceNotify {
  /**
   * command is one line for bash, run as you in the repository, outside of the sandbox, for at most 30 seconds; it
   * gets one JSON line on stdin for each Escalation, budget alert, violated bound, emergency stop and commit on
   * which the baseline fails, once the API or the gateway was away for two minutes, and when a full disk makes the
   * operator wait. At most 2000 characters.
   */
  command?: string;
}

/** spec is what the person wants. */
export interface WorkspaceSpec {
  /** repository is the git repository that is worked on. Default: {}. */
  repository: WorkspaceRepository;
  /** github is where the repository lives on GitHub; without it Bosun works on the local repository alone. */
  github?: WorkspaceGithub;
  /** checkout is how the checkouts of claims are made. Default: {}. */
  checkout: WorkspaceCheckout;
  /**
   * checks is whether work needs a passing test command to be merged; None merges without one, on the review
   * alone. Default: "Required".
   */
  checks: WorkspaceChecks;
  /** commands are what decides whether a commit is good; each runs in a clean checkout, in this order. Default: {}. */
  commands: WorkspaceCommands;
  /** setupNetwork is the network of the setup command: None, or Host for the machine's own. Default: "None". */
  setupNetwork: WorkspaceSetupNetwork;
  /** limits bound what one piece of work may take; they can be lowered, never raised. Default: {}. */
  limits: WorkspaceLimits;
  /**
   * protectedPaths lists paths that agents' work may not change without a person, as gitignore patterns, besides
   * those always protected. Default:
   * [".claude/**","CLAUDE.md",".mcp.json",".husky/**",".github/**",".git*",".npmrc",".env*"]. At most 100 items.
   */
  protectedPaths: string[];
  /**
   * mode is Running, Paused (sessions end after their turn and keep claim, branch and transcript) or Stopped
   * (emergency: everything is ended at once). Default: "Running".
   */
  mode: WorkspaceMode;
  /** merge is how approved work reaches the target. Default: {}. */
  merge: WorkspaceMerge;
  /**
   * sandbox is whether everything that executes content of a branch must run in a sandbox; Off runs it as you,
   * with your files and network. Default: "Required".
   */
  sandbox: WorkspaceSandbox;
  /** commits is who commits are by. Default: {}. */
  commits: WorkspaceCommits;
  /** gateway is what the gateway lets through besides what it can bound by itself. Default: {}. */
  gateway: WorkspaceGateway;
  /** notify is told of what needs a person. */
  notify?: WorkspaceNotify;
}

export const WORKSPACE_UPSTREAMS = ["Real", "Rehearsal"] as const;
export type WorkspaceUpstream = (typeof WORKSPACE_UPSTREAMS)[number];

/** target is the branch that the queue merges into, as it is now. */
export interface WorkspaceTarget {
  /** branch is the branch people see. At most 244 characters. */
  branch?: string;
  /** commit is the newest commit of the queue's own ref. At most 64 characters. */
  commit?: string;
}

export const WORKSPACE_BASELINE_RESULTS = ["Passed", "Failed", "Running"] as const;
export type WorkspaceBaselineResult = (typeof WORKSPACE_BASELINE_RESULTS)[number];

/** baseline is what the checks said of the target itself. */
export interface WorkspaceBaseline {
  /** commit is the commit that was checked. At most 64 characters. */
  commit?: string;
  /** result is what came out. */
  result?: WorkspaceBaselineResult;
  /** output is the end of what the first failing command printed. At most 4096 characters. */
  output?: string;
}

/** stop is the emergency stop in force, as the latch has it; gone once it is over. */
export interface WorkspaceStop {
  /** name tells this stop from every other one. At most 64 characters. */
  name: string;
  /** declared is whether mode was Stopped since this stop: another mode is then a newer word, and ends it. */
  declared: boolean;
  /**
   * generation is metadata.generation when mode was last seen Stopped while this stop was in force: mode Stopped
   * of a later one is another stop, which the release of this one does not end. From 0 to 9007199254740991.
   */
  generation?: number;
}

/** One limit. */
export interface WorkspaceUsageLimit {
  /** model is the one that it holds for; absent: all. At most 100 characters. */
  model?: string;
  /** untilTime is when it opens again. */
  untilTime: string;
}

/** agents counts the agents. */
export interface WorkspaceAgents {
  /** total is how many there are. From 0 to 10. */
  total?: number;
  /** working is how many work or review now. From 0 to 10. */
  working?: number;
}

/** status is what Bosun observed; nobody else writes it. */
export interface WorkspaceStatus {
  /** conditions says what is true of the object now, and why, one entry a type. At most 20 items. */
  conditions?: Condition[];
  /** observedGeneration is the generation of the spec that the status speaks of. From 0 to 9007199254740991. */
  observedGeneration?: number;
  /** upstream is Real, or Rehearsal: a scripted model, no money is spent. */
  upstream?: WorkspaceUpstream;
  /** target is the branch that the queue merges into, as it is now. */
  target?: WorkspaceTarget;
  /** baseline is what the checks said of the target itself. */
  baseline?: WorkspaceBaseline;
  /** stop is the emergency stop in force, as the latch has it; gone once it is over. */
  stop?: WorkspaceStop;
  /**
   * usageLimits are what the account has used up of its plan; nothing is asked of the model until then. At most 20
   * items.
   */
  usageLimits?: WorkspaceUsageLimit[];
  /** agents counts the agents. */
  agents?: WorkspaceAgents;
  /** projects counts Projects by phase. At most 20 entries. */
  projects?: Record<string, number>;
  /** lastNumber is the greatest number given to a Project. From 0 to 100000000. */
  lastNumber?: number;
}

/** A Workspace is one repository that Bosun works on, and the policies that hold for all work in it. */
export interface Workspace {
  apiVersion: "bosun.dev/v1alpha1";
  kind: "Workspace";
  metadata: ObjectMeta;
  /** spec is what the person wants. Default: {}. */
  spec: WorkspaceSpec;
  /** status is what Bosun observed; nobody else writes it. */
  status?: WorkspaceStatus;
}

/** Every kind by name. */
export interface Kinds {
  Agent: Agent;
  AgentPool: AgentPool;
  Budget: Budget;
  Category: Category;
  Escalation: Escalation;
  Project: Project;
  Review: Review;
  Workspace: Workspace;
  Event: Event;
}

/** How a kind is named in URLs and by people. */
export interface KindInfo {
  readonly apiVersion: string;
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
  /** Of its table, NAME not among them. */
  readonly columns: readonly PrinterColumn[];
}

/** A column of a kind's table. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly jsonPath: string;
  /** Above 0: with `-o wide` only. */
  readonly priority?: number;
}

export const KINDS: { readonly [K in keyof Kinds]: KindInfo } = {
  Agent: {
    apiVersion: "bosun.dev/v1alpha1",
    group: "bosun.dev",
    version: "v1alpha1",
    plural: "agents",
    singular: "agent",
    shortNames: ["ag"],
    namespaced: true,
    columns: [
      {"name":"Pool","type":"string","jsonPath":".spec.pool"},
      {"name":"State","type":"string","jsonPath":".status.state"},
      {"name":"Project","type":"string","jsonPath":".status.project"},
      {"name":"Phase","type":"string","jsonPath":".status.phase"},
      {"name":"Task","type":"string","jsonPath":".status.currentTask"},
      {"name":"Turns","type":"integer","jsonPath":".status.session.turns"},
      {"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].status"},
      {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"},
      {"name":"Status","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].message"},
      {"name":"Role","type":"string","jsonPath":".spec.role","priority":1},
      {"name":"Review","type":"string","jsonPath":".status.review","priority":1},
      {"name":"Live","type":"integer","jsonPath":".status.session.liveSeconds","priority":1},
      {"name":"Errors","type":"integer","jsonPath":".status.errors","priority":1},
      {"name":"Branch","type":"string","jsonPath":".status.branch","priority":1},
    ],
  },
  AgentPool: {
    apiVersion: "bosun.dev/v1alpha1",
    group: "bosun.dev",
    version: "v1alpha1",
    plural: "agentpools",
    singular: "agentpool",
    shortNames: ["pool","pools"],
    namespaced: true,
    columns: [
      {"name":"Role","type":"string","jsonPath":".spec.role"},
      {"name":"Desired","type":"integer","jsonPath":".spec.replicas"},
      {"name":"Agents","type":"integer","jsonPath":".status.replicas"},
      {"name":"Ready","type":"integer","jsonPath":".status.readyReplicas"},
      {"name":"Working","type":"integer","jsonPath":".status.workingReplicas"},
      {"name":"Paused","type":"boolean","jsonPath":".spec.paused"},
      {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"},
      {"name":"Status","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].message"},
      {"name":"Model","type":"string","jsonPath":".spec.model","priority":1},
      {"name":"Selector","type":"string","jsonPath":".status.selector","priority":1},
    ],
  },
  Budget: {
    apiVersion: "bosun.dev/v1alpha1",
    group: "bosun.dev",
    version: "v1alpha1",
    plural: "budgets",
    singular: "budget",
    shortNames: ["bg"],
    namespaced: true,
    columns: [
      {"name":"Daily","type":"number","jsonPath":".spec.daily.usd"},
      {"name":"Spent","type":"number","jsonPath":".status.daily.spentUSD"},
      {"name":"Left","type":"number","jsonPath":".status.daily.remainingUSD"},
      {"name":"Tokens","type":"integer","jsonPath":".spec.daily.tokens"},
      {"name":"Used","type":"integer","jsonPath":".status.daily.spentTokens"},
      {"name":"Monthly","type":"number","jsonPath":".spec.monthly.usd"},
      {"name":"Month","type":"number","jsonPath":".status.monthly.spentUSD"},
      {"name":"Exceeded","type":"string","jsonPath":".status.conditions[?(@.type=='Exceeded')].status"},
      {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"},
      {"name":"Status","type":"string","jsonPath":".status.conditions[?(@.type=='Exceeded')].message"},
      {"name":"Reserved","type":"number","jsonPath":".status.daily.reservedUSD","priority":1},
      {"name":"Tokens-Left","type":"integer","jsonPath":".status.daily.remainingTokens","priority":1},
      {"name":"Month-Tokens","type":"integer","jsonPath":".spec.monthly.tokens","priority":1},
      {"name":"Month-Used","type":"integer","jsonPath":".status.monthly.spentTokens","priority":1},
      {"name":"Requests","type":"integer","jsonPath":".status.daily.requests","priority":1},
      {"name":"Unsettled","type":"integer","jsonPath":".status.daily.unsettled","priority":1},
      {"name":"Zone","type":"string","jsonPath":".spec.timeZone","priority":1},
    ],
  },
  Category: {
    apiVersion: "bosun.dev/v1alpha1",
    group: "bosun.dev",
    version: "v1alpha1",
    plural: "categories",
    singular: "category",
    shortNames: ["cat"],
    namespaced: true,
    columns: [
      {"name":"Mode","type":"string","jsonPath":".spec.mode"},
      {"name":"Proposed","type":"integer","jsonPath":".status.proposed"},
      {"name":"Accepted","type":"integer","jsonPath":".status.accepted"},
      {"name":"Merged","type":"integer","jsonPath":".status.merged"},
      {"name":"Valuable","type":"integer","jsonPath":".status.valuable"},
      {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"},
      {"name":"Ideation","type":"date","jsonPath":".status.lastIdeationTime","priority":1},
      {"name":"Cool-Down","type":"string","jsonPath":".status.coolDownUntil","priority":1},
    ],
  },
  Escalation: {
    apiVersion: "bosun.dev/v1alpha1",
    group: "bosun.dev",
    version: "v1alpha1",
    plural: "escalations",
    singular: "escalation",
    shortNames: ["esc"],
    namespaced: true,
    columns: [
      {"name":"Project","type":"string","jsonPath":".spec.project"},
      {"name":"Reason","type":"string","jsonPath":".spec.reason"},
      {"name":"State","type":"string","jsonPath":".status.state"},
      {"name":"Action","type":"string","jsonPath":".spec.resolution.action"},
      {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"},
      {"name":"Message","type":"string","jsonPath":".spec.message"},
      {"name":"Commit","type":"string","jsonPath":".spec.commit","priority":1},
      {"name":"Outcome","type":"string","jsonPath":".status.outcome","priority":1},
    ],
  },
  Project: {
    apiVersion: "bosun.dev/v1alpha1",
    group: "bosun.dev",
    version: "v1alpha1",
    plural: "projects",
    singular: "project",
    shortNames: ["proj"],
    namespaced: true,
    columns: [
      {"name":"No","type":"integer","jsonPath":".status.number"},
      {"name":"Phase","type":"string","jsonPath":".status.phase"},
      {"name":"Agent","type":"string","jsonPath":".status.claim.agent"},
      {"name":"Progress","type":"integer","jsonPath":".status.progressPercent"},
      {"name":"Cycles","type":"integer","jsonPath":".status.reviewCycles"},
      {"name":"Cost","type":"number","jsonPath":".status.costUSD"},
      {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"},
      {"name":"Status","type":"string","jsonPath":".status.conditions[?(@.type=='Succeeded')].message"},
      {"name":"Task","type":"string","jsonPath":".status.currentTask","priority":1},
      {"name":"Elapsed","type":"integer","jsonPath":".status.elapsedSeconds","priority":1},
      {"name":"Estimate","type":"number","jsonPath":".status.estimate.usd","priority":1},
      {"name":"Category","type":"string","jsonPath":".spec.category","priority":1},
      {"name":"Branch","type":"string","jsonPath":".status.branch","priority":1},
      {"name":"Head","type":"string","jsonPath":".status.head","priority":1},
      {"name":"Escalation","type":"string","jsonPath":".status.escalation","priority":1},
      {"name":"Title","type":"string","jsonPath":".spec.title","priority":1},
    ],
  },
  Review: {
    apiVersion: "bosun.dev/v1alpha1",
    group: "bosun.dev",
    version: "v1alpha1",
    plural: "reviews",
    singular: "review",
    shortNames: ["rev"],
    namespaced: true,
    columns: [
      {"name":"Project","type":"string","jsonPath":".spec.project"},
      {"name":"Cycle","type":"integer","jsonPath":".spec.cycle"},
      {"name":"State","type":"string","jsonPath":".status.state"},
      {"name":"Verdict","type":"string","jsonPath":".status.verdict"},
      {"name":"Reviewer","type":"string","jsonPath":".status.claim.agent"},
      {"name":"Author","type":"string","jsonPath":".spec.author"},
      {"name":"Cost","type":"number","jsonPath":".status.costUSD"},
      {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"},
      {"name":"Status","type":"string","jsonPath":".status.conditions[?(@.type=='Succeeded')].message"},
      {"name":"Commit","type":"string","jsonPath":".spec.headCommit","priority":1},
      {"name":"Timeouts","type":"integer","jsonPath":".status.timeouts","priority":1},
    ],
  },
  Workspace: {
    apiVersion: "bosun.dev/v1alpha1",
    group: "bosun.dev",
    version: "v1alpha1",
    plural: "workspaces",
    singular: "workspace",
    shortNames: ["ws"],
    namespaced: true,
    columns: [
      {"name":"Mode","type":"string","jsonPath":".spec.mode"},
      {"name":"Upstream","type":"string","jsonPath":".status.upstream"},
      {"name":"Target","type":"string","jsonPath":".status.target.branch"},
      {"name":"Agents","type":"integer","jsonPath":".status.agents.total"},
      {"name":"Working","type":"integer","jsonPath":".status.agents.working"},
      {"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].status"},
      {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"},
      {"name":"Status","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].message"},
      {"name":"Commit","type":"string","jsonPath":".status.target.commit","priority":1},
      {"name":"Baseline","type":"string","jsonPath":".status.baseline.result","priority":1},
      {"name":"Merge","type":"string","jsonPath":".spec.merge.mode","priority":1},
    ],
  },
  Event: {
    apiVersion: "v1",
    group: "",
    version: "v1",
    plural: "events",
    singular: "event",
    shortNames: ["ev"],
    namespaced: true,
    columns: [
      {"name":"Last Seen","type":"date","jsonPath":".lastTimestamp"},
      {"name":"Type","type":"string","jsonPath":".type"},
      {"name":"Reason","type":"string","jsonPath":".reason"},
      {"name":"Kind","type":"string","jsonPath":".involvedObject.kind"},
      {"name":"Object","type":"string","jsonPath":".involvedObject.name"},
      {"name":"Message","type":"string","jsonPath":".message"},
    ],
  },
};
