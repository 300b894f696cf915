/** Why an API request failed: Kubernetes' `Status` as an error. Both Clients raise it, the API server sends it. */

export interface StatusCause {
  reason?: string;
  message: string;
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  /** The plural for most errors, the Kind for `Invalid`, as kube-apiserver has it. */
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

/** A list whose continue token is too old is told one to go on with. */
export interface StatusMeta {
  continue?: string;
}

export interface Status {
  kind: "Status";
  apiVersion: "v1";
  metadata: StatusMeta;
  status: "Failure" | "Success";
  message?: string;
  reason?: string;
  details?: StatusDetails;
  code: number;
}

/** An API request that was refused or failed; `code` and `reason` are kube-apiserver's. */
export class StatusError extends Error {
  override readonly name = "StatusError";
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;
  readonly metadata: StatusMeta;

  constructor(
    code: number,
    reason: string,
    message: string,
    details?: StatusDetails,
    metadata: StatusMeta = {},
  ) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
    this.metadata = metadata;
  }

  toStatus(): Status {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: this.metadata,
      status: "Failure",
      message: this.message,
      reason: this.reason,
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

export function isNotFound(error: unknown): boolean {
  return error instanceof StatusError && error.reason === "NotFound";
}
export function isConflict(error: unknown): boolean {
  return error instanceof StatusError && error.reason === "Conflict";
}
export function isAlreadyExists(error: unknown): boolean {
  return error instanceof StatusError && error.reason === "AlreadyExists";
}
/** A watch or list asked for history that is no longer kept: list again. */
export function isExpired(error: unknown): boolean {
  return error instanceof StatusError && (error.reason === "Expired" || error.reason === "Gone");
}
