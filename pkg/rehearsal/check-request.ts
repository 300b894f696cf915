import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { compiling } from "./compiling.ts";
import { blocksOf, type MessagesRequest, type RequestMessage } from "./messages.ts";
import { countTokensSchema, messagesSchema } from "./request-schema.ts";

const ajv = new Ajv({
  allowUnionTypes: true,
  discriminator: true,
  strictTypes: false,
  strictRequired: false,
  ...compiling,
});
const schemas = { messages: messagesSchema, count_tokens: countTokensSchema };
/** Compiled when the first request asks for one: an operator waits until the upstream listens. */
const checks = new Map<keyof typeof schemas, ValidateFunction>();

/**
 * What is wrong with a body, as the API would say it (path, then reason); undefined when nothing is.
 *
 * Stricter than the API in one point: it would merge neighbouring messages of one role, here they are refused, since
 * in Bosun they are a sign of a transcript put together wrongly.
 */
export function checkRequest(body: unknown, endpoint: "messages" | "count_tokens"): string | undefined {
  const check = checks.get(endpoint) ?? ajv.compile(schemas[endpoint]);
  checks.set(endpoint, check);
  if (!check(body)) return describe(check.errors ?? []);
  const { messages, tools = [] } = body as MessagesRequest;
  return checkTools(tools) ?? checkRoles(messages) ?? checkToolResults(messages);
}

function describe(errors: readonly ErrorObject[]): string {
  // Every branch of a choice complains; the deepest path is the branch that was meant.
  const said = errors.filter((error) => error.keyword !== "if" && error.keyword !== "anyOf");
  const deepest = said.toSorted((a, b) => depth(b) - depth(a))[0] ?? errors[0];
  if (deepest === undefined) return "body: Input should be an object";
  const path = deepest.instancePath.split("/").slice(1).join(".");
  if (deepest.keyword === "required")
    return `${dotted(path, deepest.params.missingProperty)}: Field required`;
  if (deepest.keyword === "additionalProperties") {
    return `${dotted(path, deepest.params.additionalProperty)}: Extra inputs are not permitted`;
  }
  const allowed = deepest.keyword === "enum" ? ` (${deepest.params.allowedValues.join(", ")})` : "";
  return `${path || "body"}: Input ${deepest.message ?? "is invalid"}${allowed}`;
}

function depth(error: ErrorObject): number {
  return error.instancePath.split("/").length;
}

function dotted(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function checkTools(tools: NonNullable<MessagesRequest["tools"]>): string | undefined {
  const names = tools.map((tool) => tool.name);
  return new Set(names).size === names.length ? undefined : "tools: Tool names must be unique.";
}

function checkRoles(messages: readonly RequestMessage[]): string | undefined {
  const spoken = messages.filter((message) => message.role !== "system");
  if (spoken[0]?.role !== "user") return "messages: first message must use the user role";
  const doubled = spoken.findIndex((message, index) => message.role === spoken[index - 1]?.role);
  if (doubled === -1) return undefined;
  return `messages: roles must alternate between "user" and "assistant", but found multiple "${spoken[doubled]?.role}" roles in a row`;
}

function checkToolResults(messages: readonly RequestMessage[]): string | undefined {
  const spoken = messages.filter((message) => message.role !== "system");
  const known = new Set<string>();
  for (const [index, message] of spoken.entries()) {
    const uses = index === 0 ? [] : idsOf(spoken[index - 1], "tool_use");
    const results = idsOf(message, "tool_result");
    if (message.role === "assistant") {
      const repeated = idsOf(message, "tool_use").find((id) => known.has(id));
      if (repeated !== undefined)
        return `messages.${index}.content: \`tool_use\` ids must be unique (${repeated})`;
      for (const id of idsOf(message, "tool_use")) known.add(id);
      if (index === spoken.length - 1 && idsOf(message, "tool_use").length > 0)
        return danglingUse(index, message);
      continue;
    }
    const missing = uses.filter((id) => !results.includes(id));
    if (missing.length > 0) {
      return `messages.${index - 1}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`;
    }
    const stray = results.find((id) => !uses.includes(id));
    if (stray !== undefined) {
      return `messages.${index}.content: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`;
    }
    if (new Set(results).size !== results.length) {
      return `messages.${index}.content: each tool_use must have a single result. Found multiple \`tool_result\` blocks with one id.`;
    }
    const firstOther = blocksOf(message.content).findIndex((block) => block.type !== "tool_result");
    if (firstOther !== -1 && firstOther < results.length) {
      return `messages.${index}.content: \`tool_result\` blocks must come before any other content.`;
    }
  }
  return undefined;
}

function danglingUse(index: number, message: RequestMessage): string {
  return `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${idsOf(message, "tool_use").join(", ")}.`;
}

function idsOf(message: RequestMessage | undefined, type: "tool_use" | "tool_result"): string[] {
  return blocksOf(message?.content)
    .filter((block) => block.type === type)
    .map((block) => (type === "tool_use" ? block.id : block.tool_use_id) ?? "");
}
