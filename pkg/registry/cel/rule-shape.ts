import { type FieldError, invalid, notSupported, required } from "../field-error.ts";
import type { Json, JsonObject } from "../json.ts";

const reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/** What is wrong with a rule whatever its schema, as kube-apiserver tells it. */
export function ruleShapeFaults(rule: JsonObject, at: string): FieldError[] {
  const errors = messageFaults(rule, at);
  if (rule.reason !== undefined && !reasons.includes(text(rule.reason))) {
    errors.push(notSupported(`${at}.reason`, rule.reason, reasons));
  }
  const fieldPath = text(rule.fieldPath);
  if (fieldPath !== "" && fieldPath.trim() === "") {
    errors.push(invalid(`${at}.fieldPath`, fieldPath, "must be non-empty if specified"));
  }
  if (hasLineBreak(fieldPath)) {
    errors.push(invalid(`${at}.fieldPath`, fieldPath, "must not contain line breaks"));
  }
  return errors;
}

function messageFaults(rule: JsonObject, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const [body, message, expression] = [text(rule.rule), text(rule.message), text(rule.messageExpression)];
  if (body.trim() === "") {
    errors.push(required(`${at}.rule`, "rule is not specified"));
  } else if (message !== "" && message.trim() === "") {
    errors.push(invalid(`${at}.message`, message, "must be non-empty if specified"));
  } else if (hasLineBreak(message.trim())) {
    errors.push(invalid(`${at}.message`, message, "must not contain line breaks"));
  } else if (hasLineBreak(body.trim()) && message.trim() === "") {
    errors.push(required(`${at}.message`, "message must be specified if rule contains line breaks"));
  }
  if (expression !== "" && expression.trim() === "") {
    errors.push(required(`${at}.messageExpression`, "messageExpression must be non-empty if specified"));
  }
  return errors;
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

function hasLineBreak(value: string): boolean {
  return /[\n\r]/.test(value);
}
