const text = { type: "string", minLength: 1 };
const count = { type: "integer", minimum: 0 };
const name = { type: "string", pattern: "^[a-z][a-z0-9-]{0,30}$" };
const captureName = { type: "string", pattern: "^[a-zA-Z][a-zA-Z0-9]{0,30}$" };
const standards = ["TestsPass", "LintClean", "NoSecurityIssue", "CriteriaMet", "Documented"];

const fault = {
  type: "object",
  properties: {
    times: { type: "integer", minimum: 1 },
    status: { type: "integer", minimum: 400, maximum: 599 },
    retryAfterSeconds: { type: "number", minimum: 0 },
    usageResetSeconds: { type: "integer", minimum: 1 },
    message: text,
    cutAfterEvents: count,
    hangAfterEvents: count,
    omitUsage: { const: true },
  },
  oneOf: ["status", "cutAfterEvents", "hangAfterEvents", "omitUsage"].map((field) => ({ required: [field] })),
  additionalProperties: false,
};

const judge = object(
  {
    criteria: list(
      object(
        { about: pattern(), shownBy: atLeastOne({ diff: pattern(), result: pattern() }), otherwise: text },
        ["about", "shownBy", "otherwise"],
      ),
    ),
    rules: list(
      object(
        {
          when: atLeastOne({
            diff: pattern(),
            diffLacks: pattern(),
            result: pattern(),
            resultLacks: pattern(),
            checks: { enum: ["Passed", "Failed", "None"] },
          }),
          standard: { enum: standards },
          finding: text,
        },
        ["when", "standard", "finding"],
      ),
    ),
  },
  [],
);

const step = object(
  {
    step: name,
    when: atLeastOne({
      have: captureName,
      lastToolResult: pattern(),
      anyToolResult: pattern(),
      noToolResult: pattern(),
    }),
    forEach: captureName,
    text,
    calls: list(object({ tool: text, input: { type: "object" } }, ["tool", "input"])),
    judge,
    usage: atLeastOne({
      input: count,
      output: count,
      cacheRead: count,
      cacheWrite5m: count,
      cacheWrite1h: count,
    }),
    delayMs: count,
    fault,
    padTokens: { type: "integer", minimum: 1, maximum: 200_000 },
    repeat: { const: "Forever" },
    onError: { enum: ["Continue", "Repeat"] },
  },
  ["step"],
);
const steps = { ...list(step), minItems: 1 };

/** JSON Schema of a scenario file. Texts with `format: re2` are compiled by the loader. */
export const scenarioSchema = {
  ...object(
    {
      scenario: name,
      about: text,
      priority: { type: "integer", minimum: -1000, maximum: 1000 },
      match: object(
        {
          purpose: { enum: ["execute", "review", "other"] },
          model: pattern(),
          system: pattern(),
          opening: pattern(),
          brief: pattern(),
          lastUser: pattern(),
          lastToolResult: pattern(),
          tools: list(text),
          turnAtLeast: count,
          turnAtMost: count,
        },
        [],
      ),
      rework: pattern(),
      capture: {
        type: "object",
        propertyNames: captureName,
        additionalProperties: {
          ...object(
            {
              from: { enum: ["opening", "brief", "system", "lastToolResult"] },
              first: pattern(),
              all: pattern(),
              otherwise: { type: "string" },
            },
            ["from"],
          ),
          oneOf: [{ required: ["first"] }, { required: ["all"] }],
        },
      },
      pace: object({ firstMs: count, chunkMs: count, chunkChars: { type: "integer", minimum: 1 } }, []),
      steps,
      attempts: { ...list(object({ steps }, ["steps"])), minItems: 1 },
    },
    ["scenario", "about", "match"],
  ),
  oneOf: [{ required: ["steps"] }, { required: ["attempts"] }],
};

function object(properties: object, required: readonly string[]) {
  return { type: "object", properties, required, additionalProperties: false };
}

function atLeastOne(properties: object) {
  return { ...object(properties, []), minProperties: 1 };
}

function list(items: object) {
  return { type: "array", items };
}

function pattern() {
  return { type: "string", minLength: 1, format: "re2" };
}
