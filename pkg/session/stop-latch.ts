/** The emergency stop: a file that outlives every process. While it is engaged nothing runs. */
export interface StopLatch {
  engaged(): Promise<boolean>;
  /** Safe to repeat. */
  engage(why: string): Promise<void>;
  /** Safe to repeat. */
  release(): Promise<void>;
}
