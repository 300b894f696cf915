/** Named places where a test ends the process, to prove that what comes after a crash is right. */

export type Failpoint =
  | "claim-written"
  | "host-started"
  | "request-reserved"
  | "request-connected"
  | "request-sending"
  | "request-sent"
  | "request-answered"
  | "request-settled"
  | "review-settled"
  | "intent-written"
  | "ref-swapped"
  | "status-written";

export interface Failpoints {
  /** Says that the process has just passed `name`. Returns, unless the process was told to die here. */
  hit(name: Failpoint): void;
}

export const noFailpoints: Failpoints = { hit() {} };
