import type { FieldError } from "../field-error.ts";

/**
 * What a check came to. `matches` counts what was found right: of several alternatives that all fail, the errors of the
 * one with most of it are told, as kube-apiserver does.
 */
export class Result {
  readonly errors: FieldError[] = [];
  matches = 0;

  get isValid(): boolean {
    return this.errors.length === 0;
  }

  /** Takes an error, once. */
  add(error: FieldError): void {
    const same = ({ field, message }: FieldError) => field === error.field && message === error.message;
    if (!this.errors.some(same)) this.errors.push(error);
  }

  merge(other: Result): void {
    for (const error of other.errors) this.add(error);
    this.matches += other.matches;
  }
}
