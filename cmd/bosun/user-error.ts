/** What a person did, or can do something about: printed as it is, without a stack. */
export class UserError extends Error {
  override readonly name = "UserError";
  /** 1: it could not be done. 2: the command line was wrong. */
  readonly exitCode: 1 | 2;

  constructor(message: string, { exitCode = 1, cause }: { exitCode?: 1 | 2; cause?: unknown } = {}) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}
