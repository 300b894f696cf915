/** The right to act that an election by Lease gives. */
import {
  type ElectionOptions,
  elect,
  type Leadership,
  type LeaseLostError,
} from "../../../pkg/runtime/leader-election.ts";
import type { Right } from "./acting.ts";

export interface ElectedOptions {
  election: ElectionOptions;
  /** Ends the wait for the first right. */
  signal: AbortSignal;
  /** Told when the Lease is lost, and why. */
  onLost(why: string): void;
  /** Told when it is held again. */
  onHeld(): void;
}

export interface Elected {
  /** The first. */
  readonly right: Right;
  /** Whether this process may act now. To be asked right before each act. */
  held(): boolean;
  /** Gives the Lease back. Call it when nothing acts any more. */
  release(): Promise<void>;
}

/**
 * Resolves once this process is elected.
 *
 * @throws `signal.reason` when aborted before
 */
export async function elected({ election, signal, onLost, onHeld }: ElectedOptions): Promise<Elected> {
  let leadership = await elect(election, signal);
  const tellLoss = ({ lost }: Leadership): void =>
    lost.addEventListener("abort", () => onLost((lost.reason as LeaseLostError).message), { once: true });
  // At once, since `regain` waits for controllers to stop, and those for answers that may never come.
  tellLoss(leadership);
  // Why it can't be asked for was told with its loss.
  const { hindered: _, ...again } = election;
  const rightOf = ({ lost }: Leadership): Right => ({
    lost,
    async regain(stopped) {
      leadership = await elect(again, stopped);
      tellLoss(leadership);
      onHeld();
      return rightOf(leadership);
    },
  });
  return {
    right: rightOf(leadership),
    held: () => leadership.held(),
    release: () => leadership.release(),
  };
}
