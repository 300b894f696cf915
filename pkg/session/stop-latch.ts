/** The emergency stop: a file that outlives every process. While it is engaged nothing runs. */
export interface StopLatch {
  engaged(): Promise<boolean>;
  look(): Promise<LatchSeen>;
  /**
   * Begins another stop, also where one is in force. Resolves when it survives power loss.
   *
   * @param visible - called as soon as everybody sees it
   */
  engage(why: string, visible?: () => void): Promise<void>;
  /**
   * A person ends the stop: what is in force becomes what was released. Safe to repeat.
   *
   * @param only - the stop that is meant; another that has begun meanwhile stays in force. Absent: whichever it is
   */
  release(only?: string): Promise<void>;
  /** Forgets what was released: the Workspace's mode agrees. Safe to repeat. */
  settle(): Promise<void>;
}

export interface FollowedLatch extends StopLatch {
  /** Calls `wake` when what `look` says may have changed, whoever changed it. */
  subscribe(wake: () => void, signal: AbortSignal): void;
}

/** Each stop has a name of its own: a latch that is touched again is another stop, which no earlier word can end. */
export interface LatchSeen {
  /** The stop in force. */
  engaged: string | undefined;
  /** The stop that a person released, as long as the Workspace's mode may still speak of it. */
  released: string | undefined;
}
